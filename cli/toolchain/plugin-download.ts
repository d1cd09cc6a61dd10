import path from "node:path";
import * as z from "zod";
import { type Limits, open, save, usualLimits } from "./download";

/** Where a provider's release is; tests put a server of their own here. */
export interface PluginRelease {
  /** GitHub's description of the release, which has the SHA-256 of each of its archives. */
  description: string;
  /** The folder of Pulumi's own download: another server, so that one alone cannot forge an archive. */
  archives: string;
}

export const officialPlugin = (name: string, version: string): PluginRelease => ({
  description: `https://api.github.com/repos/pulumi/pulumi-${name}/releases/tags/v${version}`,
  archives: "https://get.pulumi.com/releases/plugins",
});

const release = z.object({
  assets: z.array(z.object({ name: z.string(), digest: z.string().nullish() })),
});

/** Name of a provider's archive, as Pulumi's own download has it. */
export const pluginArchive = (name: string, version: string, platform = process.platform, arch = process.arch) =>
  `pulumi-resource-${name}-v${version}-${platform}-${arch === "x64" ? "amd64" : arch}.tar.gz`;

/**
 * Downloads a provider's archive into `folder` and checks it against the SHA-256 that its release publishes. (`pulumi plugin
 * install --checksum` would not do: CLI 3.250 leaves the end of the archive out of its sum and refuses the right one.)
 * @throws Error if the release names no digest, a server does not answer, or the digest differs
 */
export async function downloadPlugin(
  folder: string,
  { name, version, from = officialPlugin(name, version), limits = usualLimits }: PluginDownload,
): Promise<string> {
  const archive = pluginArchive(name, version);
  const { response } = await open(from.description, limits);
  const { assets } = release.parse(await response.json());
  const asset = assets.find((one) => one.name === archive);
  const expected = /^sha256:([0-9a-f]{64})$/.exec(asset?.digest ?? "")?.[1];
  if (expected === undefined) throw new Error(`${from.description} has no SHA-256 for ${archive}`);
  const file = path.join(folder, archive);
  const url = `${from.archives}/${archive}`;
  const found = await save(url, file, limits, "sha256");
  if (found === expected) return file;
  throw new Error(`checksum mismatch, refused: ${url} has SHA-256 ${found}, its release publishes ${expected}`);
}

export interface PluginDownload {
  name: string;
  version: string;
  from?: PluginRelease;
  limits?: Limits;
}

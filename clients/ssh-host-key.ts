import type { Duplex } from "node:stream";
import { messageOf, StepError } from "../core/errors";
import { certifiedName, type HostNames, type KnownHost, knownHost } from "../core/known-host";
import { quoted } from "../core/shell-word";
import { certificateProblem, readCertificate } from "../core/ssh-certificate";
import { askForCertificate } from "./ssh-certificate";

/** A host as far as its keys are concerned. */
interface Host extends HostNames {
  readonly user: string;
  readonly hostKey: string | readonly string[];
}

/** The keys that a host may show. */
export interface TrustedKeys {
  readonly keys: readonly KnownHost[];
  /** Why its certificate proves no key; undefined if it does, or if the config names no authority. */
  readonly unproven?: string | undefined;
  /** Whether a certificate proves the key. */
  readonly isProven: boolean;
  readonly revoked: readonly string[];
}

/**
 * The keys that a host may show: those of the config, or the one that its certificate proves, if the config names an
 * authority (`@cert-authority`). A certificate that proves nothing counts as none.
 *
 * @param open a connection to the host
 * @throws StepError if no key is left
 */
export async function trustedKeys(name: string, host: Host, open: () => Promise<Duplex>): Promise<TrustedKeys> {
  const lines = [host.hostKey].flat().flatMap((line) => knownHost(line) ?? []);
  const marked = (marker: KnownHost["marker"]) => lines.filter((line) => line.marker === marker);
  const revoked = marked("revoked").map(({ key }) => key);
  const keys = marked(undefined).filter(({ key }) => !revoked.includes(key));
  const authorities = marked("cert-authority").map(({ key }) => key);
  if (authorities.length === 0) return { keys, revoked, isProven: false };
  const proof = proofOf(await askForCertificate(await open()), {
    ...{ name: certifiedName(host), authorities, revoked, now: Date.now() },
  });
  if ("key" in proof) return { keys: [proof.key], revoked, isProven: true };
  if (keys.length > 0) return { keys, revoked, isProven: false, unproven: proof.problem };
  throw new StepError(
    `${host.user}@${host.address}:${host.port} (hosts.${name}) proves no key by a certificate of an authority in ` +
      `hosts.${name}.hostKey: ${proof.problem}; nothing was sent to it`,
  );
}

/**
 * A host whose key is not one of those that it may show.
 *
 * @param shown what it showed, in base64; undefined if it has no key of their types
 */
export function keyMismatch(
  name: string,
  { user, address, port }: Host,
  { keys, unproven, revoked, isProven }: TrustedKeys,
  shown?: string,
): StepError {
  const where = `${user}@${address}:${port} (hosts.${name})`;
  const keyscan = `\`ssh-keyscan -p ${port} ${quoted(address)}\``;
  const otherwise = unproven === undefined ? "" : `. Its certificate proves no key: ${unproven}`;
  const types = [...new Set(keys.map(({ type }) => type))].join(", ");
  if (shown !== undefined && revoked.includes(shown))
    return new StepError(`${where} shows a key that hosts.${name}.hostKey names as @revoked: ${shown.slice(0, 40)}...`);
  if (isProven)
    return new StepError(
      `${where} ${shown === undefined ? "does not show" : "shows another key than"} the key of the type ${types} that its ` +
        "certificate proves; expected it in HostKey and HostKeyAlgorithms of its sshd_config too",
    );
  if (shown === undefined)
    return new StepError(
      `${where} has no key of the type ${types}, which hosts.${name}.hostKey names; put one that it has into the ` +
        `config, after comparing it on the host: ${keyscan}${otherwise}`,
    );
  return new StepError(
    `${where} shows another key than hosts.${name}.hostKey: ${shown.slice(0, 40)}...; if the host was reinstalled, ` +
      `put its new key into the config (${keyscan}), otherwise the connection may be intercepted${otherwise}`,
  );
}

function proofOf(
  blob: Buffer | undefined,
  expected: Parameters<typeof certificateProblem>[1],
): { readonly key: KnownHost } | { readonly problem: string } {
  if (blob === undefined) return { problem: "it has no host certificate (HostCertificate in its sshd_config)" };
  try {
    const certificate = readCertificate(blob);
    const problem = certificateProblem(certificate, expected);
    if (problem !== undefined) return { problem };
    const { type, blob: key } = certificate.key;
    return { key: { type, key: key.toString("base64") } };
  } catch (error) {
    return { problem: `its certificate cannot be read: ${messageOf(error)}` };
  }
}

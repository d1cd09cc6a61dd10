import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import type { KeyIssuer } from "../../dev/lab/key-issuer";
import type { Bench, BenchOptions } from "./harness";

export const SECRET = "market-data/api-key";
export const READER = "market-data-service";

/** The variable with the issuer's own token, which only what makes and ends keys gets. */
export const TOKEN = "LAB_ISSUER_TOKEN";

/** A bench whose issuer is asked by commands. */
export const customBench = (more: BenchOptions["labOptions"] = {}): BenchOptions => ({
  labOptions: { issuer: true, services: [{ name: READER, apiKey: SECRET }], ...more },
  only: [SECRET],
});

/** The folder with the commands, in the stack's project. */
export const folderOf = ({ stack }: Bench): string => join(stack.projectDir, "my-kind");

export function issuerOf({ lab: { issuer } }: Bench): KeyIssuer {
  if (issuer === undefined) throw new Error("the lab has no issuer");
  return issuer;
}

/** The keys that the issuer has made, oldest first. */
export const keysOf = (bench: Bench): string[] => issuerOf(bench).made.map(({ key }) => key);

/** Which of them the issuer accepts. */
export const working = (bench: Bench): Promise<boolean[]> =>
  Promise.all(
    keysOf(bench).map(async (key) => {
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${issuerOf(bench).url}/v1/account`, { headers })).status === 200;
    }),
  );

/** Makes the stack's one secret of the kind `custom`, with the key in use given. @param more of the secret's config */
export async function configureCustom(bench: Bench, more: object = {}): Promise<void> {
  const { stack } = bench;
  const { url, admin } = issuerOf(bench);
  await cp(join(projectRoot(), "test/engine/custom-kind"), folderOf(bench), { recursive: true });
  await writeFile(join(folderOf(bench), "issuer.json"), JSON.stringify({ url }));
  vi.stubEnv(TOKEN, admin);
  const command = "node commands.mjs";
  await stack.configure("secrets", [
    {
      ...{ kind: "custom", name: SECRET, directory: "my-kind", fields: ["key"] },
      commands: { issue: command, verify: command, revoke: command },
      variables: [TOKEN],
      restart: [READER],
      ...more,
    },
  ]);
  await stack.configure("apiKeys", undefined);
  await stack.configureSecret("adopted", JSON.stringify({ [SECRET]: JSON.stringify({ key: keysOf(bench)[0] }) }));
}

import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { projectRoot } from "../../../../cli/toolchain/project";
import { CommandIssuer } from "../../../../kinds/custom/issuer";
import { endKey } from "../../../../kinds/issuer/end-key";
import { orphanEnded } from "../../../../kinds/issuer/orphan";
import { verifyKey } from "../../../../kinds/issuer/verify-key";
import { type Issuer, startIssuer } from "./support";

const TOKEN = "issuer-token-of-the-test";
const REFERENCE = {
  secretName: "search/key",
  fields: ["keyId", "secretKey"],
  commands: { issue: "node issue.mjs", verify: "node verify.mjs", revoke: "node revoke.mjs" },
  variables: ["ISSUER_TOKEN"],
  directory: join(projectRoot(), "templates", "custom-kind"),
  timeout: 30_000,
};

/** By the template's commands, one of them changed. */
const by = (commands: Partial<typeof REFERENCE.commands> = {}) =>
  new CommandIssuer({ ...REFERENCE, commands: { ...REFERENCE.commands, ...commands } });

let server: Issuer;

beforeAll(async () => {
  server = await startIssuer(TOKEN);
  vi.stubEnv("ISSUER_URL", server.url);
  vi.stubEnv("ISSUER_TOKEN", TOKEN);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

it("issues what works, and ends it once the issuer itself refuses it; a repetition is no error", async () => {
  const id = "prod/search/key/1";
  const values = await by().issue(id);
  expect(await by().verify(values)).toEqual({ answer: "works", evidence: "the issuer answered 200", identity: "A-1" });
  const ended = { id, values, wait: 0 };
  expect(await endKey(by(), ended)).toEqual({ evidence: "the issuer answered 401" });
  expect(await endKey(by(), ended)).toEqual({ evidence: "the issuer answered 401" });
  expect(await server.count(id)).toBe(0);
});

it("does not believe that a credential has ended before the issuer refuses it", async () => {
  const id = "prod/search/key/2";
  const values = await by().issue(id);
  const pretends = by({ revoke: `cat >/dev/null; echo '{"revoked":true}'` });
  const failure = endKey(pretends, { id, values, wait: 0 });
  await expect(failure).rejects.toThrow(
    `${id} was revoked, and expected the issuer to refuse it within 0 s, found that the issuer answered 200.`,
  );
  const blind = by({ verify: `cat >/dev/null; echo '{"answer":"unknown","evidence":"no network"}'` });
  await expect(endKey(blind, { id, values, wait: 0 })).rejects.toThrow("found that no network");
});

it("takes a command that fails for an unknown answer", async () => {
  const values = { keyId: "id-of-the-key", secretKey: "secret-of-the-key" };
  const verdict = await by({ verify: "cat >&2; exit 4" }).verify(values);
  expect(verdict).toMatchObject({ answer: "unknown", evidence: expect.stringContaining("failed (exit status 4)") });
  expect(JSON.stringify(verdict)).not.toMatch(/(id|secret)-of-the-key/);
});

it("ends what an interrupted update may have made, and never fails by that", async () => {
  const id = "prod/search/key/3";
  const before = await by().issue(id);
  expect(await orphanEnded(by(), id)).toEqual({ warnings: [] });
  expect(await server.count(id)).toBe(0);
  expect(await by().verify(before)).toMatchObject({ answer: "refused" });
  const { warnings } = await orphanEnded(by({ issue: "exit 5" }), id);
  expect(warnings).toEqual([expect.stringContaining(`a credential may be left at its issuer under the id ${id}: `)]);
  // Of such a one there are no values to end.
  expect(await endKey(by(), { id, values: { keyId: "", secretKey: "" }, wait: 0 })).toEqual({
    evidence: "it was never in use",
  });
});

it("says of a refused new credential that the next update tries it again, and of another account what to do", async () => {
  const args = { issuer: by(), secret: "search/key", purpose: "rotation" as const };
  const gone = { label: "generation 2", values: { keyId: "none", secretKey: "nothing" } };
  await expect(verifyKey({ ...args, key: gone })).rejects.toThrow(
    "expected the issuer to accept generation 2, which it has made, found that the issuer answered 401. The next update tries it again (config key `wait`, or `verify.activationWait`).",
  );
  const key = { label: "generation 2", values: await by().issue("prod/search/key/4") };
  await expect(verifyKey({ ...args, key, account: "A-2" })).rejects.toThrow(
    "If A-1 is right, set `account: A-1` for search/key in the stack config; if not, correct what makes keys in the config, then `rotation rollback search/key`, and rotate again.",
  );
  await expect(verifyKey({ ...args, purpose: "rollback", key: gone })).rejects.toThrow(
    "if it does not, `rotation rotate-now search/key` issues a new one",
  );
});

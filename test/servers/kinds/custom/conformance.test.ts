import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { readKind } from "../../../../cli/operate/kinds/folder";
import { testKind } from "../../../../cli/operate/kinds/life";
import { PROMISES, type PromiseId } from "../../../../cli/operate/kinds/promises";
import { type Edit, type Issuer, kindWith, startIssuer } from "./support";

const TOKEN = "issuer-token-of-the-test";

let issuer: Issuer;
let runs = 0;

beforeAll(async () => {
  issuer = await startIssuer(TOKEN);
  vi.stubEnv("ISSUER_URL", issuer.url);
  vi.stubEnv("ISSUER_TOKEN", TOKEN);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await issuer.stop();
});

/** Tests the template with these changes. */
async function tested(edits: readonly Edit[], signal = new AbortController().signal) {
  await using kind = await kindWith(edits);
  const run = `test-${++runs}`;
  const result = await testKind(await readKind(kind.folder), run, signal);
  const with_ = (verdict: string) =>
    result.promises.filter((seen) => seen.verdict === verdict).map(({ promise }) => promise);
  const atIssuer = await Promise.all([1, 2, 3, 4].map((generation) => issuer.count(`${run}/kinds/test/${generation}`)));
  return {
    ...result,
    broken: with_("broken"),
    unseen: with_("not seen"),
    evidence: JSON.stringify(result.promises),
    atIssuer: atIssuer.reduce((sum, count) => sum + count),
  };
}

/** So that what never becomes true is not waited for. */
const SOON: Edit = ["kind.json", '"wait": "30s"', '"wait": "1s"'];
const SHORT: Edit = ["kind.json", '"timeout": "30s"', '"timeout": "10s"'];

it("the template keeps every promise, and leaves nothing at the issuer", async () => {
  const { ok, broken, unseen, left, atIssuer } = await tested([]);
  expect({ ok, broken, left, atIssuer }).toEqual({ ok: true, broken: [], left: [], atIssuer: 0 });
  expect(unseen).toEqual(process.platform === "linux" ? [] : ["processes"]);
});

/** What ends the credential of another generation, in a command for the second. */
const endOther = (other: string) =>
  `const other = encodeURIComponent(id.replace(/2$/, "${other}"));
  for (const { keyId } of id.endsWith("2") ? (await asAdmin("GET", "/keys?name=" + other)).body : [])
    await asAdmin("DELETE", "/keys/" + keyId);`;

/** Each has a change that breaks it; those of one folder do not hide each other. */
const BREAKS: Readonly<Record<string, Partial<Record<PromiseId, Edit>>>> = {
  "commands that take it easy": {
    identity: ["verify.mjs", "identity: body.account", "identity: crypto.randomUUID()"],
    stderr: ["issue.mjs", "answer({", "console.error(JSON.stringify(made.body)); answer({"],
    "same-id": ["issue.mjs", "of left.body", "of []"],
    twice: ["revoke.mjs", "status !== 204 && status !== 404", "status !== 204"],
    overlap: ["issue.mjs", "const made =", `${endOther("1")}\nconst made =`],
    own: [
      "revoke.mjs",
      "{ values } = await readRequest();\ntry {",
      `{ values, id } = await readRequest();\ntry {\n${endOther("3")}`,
    ],
  },
  "commands that hide a failure": {
    unknown: ["verify.mjs", 'answer: "unknown", evidence: `', 'answer: "refused", evidence: `'],
    failure: [
      "revoke.mjs",
      "fail(`the issuer does not answer",
      "answer({ revoked: true }, `the issuer does not answer",
    ],
    ended: ["revoke.mjs", '"DELETE"', '"GET"'],
    processes: [
      "kind.json",
      "node revoke.mjs",
      `r=$(cat); sh -c 'sleep 0.5; true' \\"$r\\"; printf %s \\"$r\\" | node revoke.mjs`,
    ],
    terminated: ["kind.json", "node issue.mjs", `trap '' TERM; r=$(cat); printf %s \\"$r\\" | node issue.mjs`],
    "no-request": ["api.mjs", 'fail("expected a request', 'process.exit(0, "expected a request'],
  },
  "an answer with more than JSON": { answers: ["kind.json", "node issue.mjs", "node issue.mjs && echo done"] },
  "a question to the wrong place": { works: ["verify.mjs", '"/account"', '"/accounts"'] },
  "a command without an end": { limit: ["kind.json", "node verify.mjs", "node verify.mjs && exec sleep 600"] },
};

const FOLDERS = Object.entries(BREAKS).filter(([, { processes }]) => !processes || process.platform === "linux");

it.each(FOLDERS)("names the promises that are broken by %s", async (_, breaks) => {
  const { ok, broken, evidence } = await tested([SOON, ...(breaks.limit ? [SHORT] : []), ...Object.values(breaks)]);
  expect(ok).toBe(false);
  expect(broken.sort()).toEqual(Object.keys(breaks).sort());
  // Keys of the issuer, and its token.
  expect(evidence).not.toMatch(/K[0-9a-f]{16}/);
  expect(evidence).not.toContain(TOKEN);
});

it("has a way to break each promise", () => {
  expect(Object.values(BREAKS).flatMap(Object.keys).sort()).toEqual(Object.keys(PROMISES).sort());
});

it("ends what it has made if it is interrupted, and is not fine then", async () => {
  const interrupted = new AbortController();
  const first = issuer.count(`test-${runs + 1}/kinds/test/1`);
  const watch = setInterval(async () => {
    if ((await issuer.count(`test-${runs}/kinds/test/1`)) > 0) interrupted.abort();
  }, 20);
  try {
    expect(await first).toBe(0);
    const { ok, broken, left, atIssuer } = await tested([], interrupted.signal);
    expect({ ok, broken, left, atIssuer }).toEqual({ ok: false, broken: [], left: [], atIssuer: 0 });
  } finally {
    clearInterval(watch);
  }
});

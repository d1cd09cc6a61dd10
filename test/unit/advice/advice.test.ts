import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { commandsOf, type Occurrence, scan } from "../../advice/scan";
import { ADVICE, type Advice, adviceOf, advised, BY_HAND, FILLED, NOT_ADVICE, UNDELIMITED } from "../../advice/table";

const IDS = Object.keys(ADVICE) as Advice[];

/** The tests, each with the advice that it takes from a message. */
function claims(): Map<string, string[]> {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "test"], { encoding: "utf8" }).split(
    "\n",
  );
  const found = new Map<string, string[]>();
  for (const file of files) {
    if (!/^test\/(?:servers|engine|field)\/.*\.ts$/.test(file)) continue;
    for (const [, , id = ""] of readFileSync(file, "utf8").matchAll(/\badvised\(\s*(["'])(.*?)\1/g))
      found.set(id, [...(found.get(id) ?? []), file]);
  }
  return found;
}

describe("every command that a message advises", () => {
  let occurrences: readonly Occurrence[];
  const named = ({ file, text }: Occurrence) => `${file}: ${text}`;

  beforeAll(() => {
    occurrences = scan().filter((found) => !NOT_ADVICE.some(([pattern]) => pattern.test(named(found))));
  });

  it("is in the table", () => {
    const unknown = occurrences.filter(({ file, text }) =>
      text === "…" ? FILLED[file] === undefined : adviceOf(text) === undefined,
    );
    expect(unknown.map(({ line, ...found }) => `${found.file}:${line}: ${found.text}`)).toEqual([]);
  });

  it("has an end that can be seen, so that it can be copied", () => {
    const open = occurrences.filter((found) => !found.delimited && !UNDELIMITED.some((one) => one.test(named(found))));
    expect(open.map(named)).toEqual([]);
  });

  it("is taken from a message by a test that runs it", () => {
    const claimed = claims();
    expect(IDS.filter((id) => !claimed.has(id) && BY_HAND[id] === undefined)).toEqual([]);
    expect([...claimed.keys()].filter((id) => !IDS.includes(id as Advice))).toEqual([]);
  });

  it("is in the table only as long as a message has it", () => {
    const filled = Object.values(FILLED).filter((what) => typeof what !== "string");
    const used = new Set([...occurrences.map(({ text }) => adviceOf(text)), ...filled.flat()]);
    expect(IDS.filter((id) => !used.has(id))).toEqual([]);
    const files = new Set(occurrences.filter(({ text }) => text === "…").map(({ file }) => file));
    expect(Object.keys(FILLED).filter((file) => !files.has(file))).toEqual([]);
    const all = scan().map(named);
    const idle = [...NOT_ADVICE.map(([pattern]) => pattern), ...UNDELIMITED];
    expect(idle.filter((pattern) => !all.some((text) => pattern.test(text))).map(String)).toEqual([]);
  });
});

describe("the scan", () => {
  const texts = (code: string) =>
    commandsOf("a.ts", code.replaceAll("<", "${").replaceAll(">", "}")).map(
      ({ text, delimited }) => `${delimited ? "" : "!"}${text}`,
    );

  it.each([
    ["a span", "throw new Error('do `rotation run` now')", ["rotation run"]],
    [
      "a span over the parts of a sum",
      'say("do `vault kv " + `patch -mount=<mount> x` + "` now")',
      ["vault kv patch -mount=… x"],
    ],
    ["a sentence", "say('do it with: GRANT a TO b')", ["!GRANT a TO b"]],
    ["a program in a sentence", "say('then aws s3 ls it')", ["!aws s3 ls it"]],
    ["the argument of a helper", "rotationCommand(project, `rollback <name>`)", ["rotation rollback …"]],
    ["both ways of a condition", "acts(a ? 'run' : `run <b>`)", ["rotation run", "rotation run …"]],
    ["a finding's command", "about({ command: `rm <path>` })", ["rm …"]],
    ["a command that is computed", "about({ command: made(place) })", ["… made(place)"]],
    ["a span that an expression fills", "say(`do \\`<sql>\\``)", ["…"]],
    ["lines of a list", "[`one \\`npm`, `run build\\` two`].join(' ')", ["npm run build"]],
    ["a query of the program itself", "client.query(`SELECT a FROM b`)", []],
    ["prose", "say('the rotation is planned, vault answers, the key `value`')", ["!vault answers, the key ``"]],
  ])("finds %s", (_, code, expected) => {
    expect(texts(code)).toEqual(expected);
  });

  it("reads a command out of a message as it is printed, and says if it is not there", () => {
    expect(advised("rotation run", "Next: `rotation run\n --stack paper`, or not")).toBe("rotation run --stack paper");
    expect(advised("rotation diagnose", "Next:\n  rotation diagnose --stack a   # looks")).toContain(
      "rotation diagnose",
    );
    const kubectl = "kubectl --context prod --namespace trading";
    expect(advised("kubectl describe", `See \`${kubectl} describe x trader\`, fix it`)).toBe(
      `${kubectl} describe x trader`,
    );
    expect(() => advised("rotation run", "run it")).toThrow(/advises no rotation run/);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { causeIn, withoutCommandLine } from "../../../cli/operate/cause";

const OURS = "expected the login trader_a to work, found password authentication failed";

describe("the cause in what was said", () => {
  it.each([
    [
      "node's warning about password files",
      "(node:4711) DeprecationWarning: pgpass support is deprecated\n(Use `node --trace-deprecation ...` to show where the warning was created)",
    ],
    ["another of node's", "(node:4711) [DEP0040] DeprecationWarning: The `punycode` module is deprecated."],
    [
      "npm's notice",
      "npm notice New major version of npm available!\nnpm warn config production Use `--omit=dev` instead.",
    ],
    ["a step's warning", "warning: 2 sessions of trader_b began after its restart"],
    [
      "a traceback's beginning",
      'Traceback (most recent call last):\n  File "/usr/bin/aws", line 27, in <module>\n    sys.exit(main())',
    ],
    [
      "python's deprecation",
      "/usr/lib/python3/dist-packages/boto.py:1: PythonDeprecationWarning: Boto3 will no longer support Python 3.8",
    ],
    ["the engine's own words", "1 error occurred:"],
    ["the script that was run", 'exit status 1: running "node dist/steps/verify-login.mjs":'],
  ])("is not %s", (_, noise) => {
    expect(causeIn(`${noise}\n${OURS}`)).toBe(OURS);
    expect(causeIn(`${noise}\n\n  * ${OURS}\n`)).toBe(OURS);
  });

  it("is the last line of a traceback if nothing of ours follows", () => {
    const said =
      'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nbotocore.exceptions.NoCredentialsError: Unable to locate credentials';
    expect(causeIn(said)).toBe("botocore.exceptions.NoCredentialsError: Unable to locate credentials");
  });

  it("is our line about the service if a restart's command was talkative", () => {
    const said =
      "Restarting 1/1\nContainer orchestrator  Started\norchestrator on trading-1 was restarted but is not healthy after 60 s; its last answer: {}\n<html>";
    expect(causeIn(said, "orchestrator")).toMatch(/^orchestrator on trading-1 was restarted but/);
  });

  it("is something, whatever was said, and nothing if nothing was", () => {
    expect(causeIn("")).toBeUndefined();
    expect(causeIn("warning: only this")).toBe("warning: only this");
    fc.assert(fc.property(fc.string(), (text) => (causeIn(text) === undefined) === (text.trim() === "")));
  });
});

describe("a command line", () => {
  const script = 'set -u\\necho \\"x\\"; systemctl restart orchestrator';
  it.each([
    [`exit status 1: running "${script}":\nnot healthy`, "not healthy"],
    [`Process exited with status 1: running "${script}":\nnot healthy`, "not healthy"],
    [`signal: killed: running "${script}":\nhalf`, "signal: killed\nhalf"],
    [
      `wait: remote command exited without exit status or exit signal: running "${script}":\n`,
      "wait: remote command exited without exit status or exit signal",
    ],
    ["no command at all", "no command at all"],
  ])("is never in a message: %#", (text, expected) => {
    expect(withoutCommandLine(text)).toBe(expected);
    expect(withoutCommandLine(text)).not.toContain("systemctl");
  });
});

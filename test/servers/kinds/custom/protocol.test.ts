import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { parseDuration } from "../../../../core/duration";
import { messageOf } from "../../../../core/errors";
import {
  askCommand,
  CommandError,
  type CommandsOf,
  type RequestOf,
  readAnswer,
} from "../../../../kinds/custom/protocol";

const VALUES = { keyId: "AKIA-7777777", secretKey: "s3cret/with+signs=" };

const about = { protocol: 1 as const, secret: "search/key", fields: ["keyId", "secretKey"] };
const id = "prod/search/key/2";
const issue: RequestOf<"issue"> = { action: "issue", ...about, id };
const verify: RequestOf<"verify"> = { action: "verify", ...about, values: VALUES };
const revoke: RequestOf<"revoke"> = { action: "revoke", ...about, id, values: VALUES };

/** One command for all three. */
const by = (command: string, more: Partial<CommandsOf> = {}): CommandsOf => ({
  commands: { issue: command, verify: command, revoke: command },
  variables: [],
  timeout: parseDuration("30s"),
  ...more,
});

const failure = async (asked: Promise<unknown>) => {
  const error = await asked.then(
    () => undefined,
    (one: unknown) => one,
  );
  expect(error).toBeInstanceOf(CommandError);
  // Here the command itself has them, which it never has otherwise.
  const message = messageOf(error).replace(/`.*`, /s, "");
  for (const value of Object.values(VALUES)) expect(message).not.toContain(value);
  return message;
};

const print = (answer: unknown) => `cat >/dev/null; printf '%s' '${JSON.stringify(answer)}'`;

afterEach(() => vi.unstubAllEnvs());

it("gives the request on standard input, and reads each answer", async () => {
  expect(await askCommand(by(print({ values: VALUES, identity: "A-1" })), issue)).toEqual({
    values: VALUES,
    identity: "A-1",
  });
  expect(await askCommand(by(print({ revoked: true })), revoke)).toEqual({ revoked: true });
  const echo = `node -e 'process.stdin.on("data", (t) => console.log(JSON.stringify({ answer: "works", evidence: JSON.parse(t).secret })))'`;
  expect(await askCommand(by(echo), verify)).toEqual({ answer: "works", evidence: "search/key" });
});

it("takes a credential out of what verify tells", async () => {
  const answer = { answer: "refused", evidence: `no ${VALUES.secretKey} here`, identity: VALUES.keyId };
  expect(await askCommand(by(print(answer)), verify)).toEqual({
    answer: "refused",
    evidence: "no [secret] here",
    identity: "[secret]",
  });
});

it("runs in its folder, without the run's credentials but those that it needs", async () => {
  vi.stubEnv("PGPASSWORD", "hidden-1");
  vi.stubEnv("ISSUER_TOKEN", "hidden-2");
  const told = `printf '{"answer":"unknown","evidence":"%s %s %s"}' "$PWD" "$PGPASSWORD" "\${ISSUER_TOKEN:+given}"`;
  const of = { directory: "/", variables: ["ISSUER_TOKEN"] };
  expect(await askCommand(by(told, of), verify)).toEqual({ answer: "unknown", evidence: "/  given" });
  const failed = by('echo "with $ISSUER_TOKEN" >&2; exit 3', of);
  expect(await failure(askCommand(failed, verify))).toMatch(/failed \(exit status 3\); it said: with \[secret\]$/);
  vi.stubEnv("ISSUER_TOKEN", "");
  expect(await failure(askCommand(by(told, of), verify))).toContain(
    "expected the environment to have ISSUER_TOKEN (config key `variables`), found nothing there",
  );
});

it.each([
  [
    "what it says",
    `echo "no ${VALUES.secretKey}" >&2; exit 1`,
    verify,
    /^search\/key: the command for verify, .*it said: no \[secret\]$/s,
  ],
  [
    "a value that it has just made",
    `${print({ values: VALUES })}; echo "made ${VALUES.secretKey}" >&2; exit 1`,
    issue,
    /said: made \[secret\]$/,
  ],
  ["what is no JSON", `echo ${VALUES.keyId}`, issue, /printed 13 characters that are none \(not shown/],
  ["JSON that is no object", `echo '["${VALUES.keyId}"]'`, issue, /should have printed one JSON object/],
  ["two answers", `${print({ values: VALUES })}; echo '{}'`, issue, /should have printed one JSON object/],
  ["nothing", "true", issue, /printed 0 characters/],
  [
    "an answer for another action",
    print({ revoked: true }),
    verify,
    /answered other than agreed: answer \(another value\)/,
  ],
  ["a missing value", print({ values: { keyId: VALUES.keyId } }), issue, /found none for secretKey/],
  ["an empty value", print({ values: { ...VALUES, secretKey: "" } }), issue, /values\.secretKey \(empty\)/],
  [
    "a value that is no text",
    print({ values: { ...VALUES, keyId: 7 } }),
    issue,
    /values\.keyId \(missing, or of another type\)/,
  ],
  [
    "one more, whose name may be a value",
    print({ values: { ...VALUES, [`x${VALUES.keyId}`]: "1" } }),
    issue,
    /found 1 more/,
  ],
  [
    "a wrong one under such a name",
    print({ values: { ...VALUES, [`x${VALUES.keyId}`]: 1 } }),
    issue,
    /agreed: values \(/,
  ],
  ["revoked: false", print({ revoked: false }), revoke, /revoked \(another value\)/],
  ["an answer that is too long", `head -c 70000 /dev/zero | tr '\\0' x`, issue, /printed more than 64 KiB/],
] as const)("fails without a value in the message: %s", async (_, command, asked, expected) => {
  expect(await failure(askCommand(by(command), asked as never))).toMatch(expected);
});

it("ends a command at its limit, with all that it has started", async () => {
  const limited = by("sleep 600 | cat; echo never", { timeout: parseDuration("1s") });
  expect(await failure(askCommand(limited, verify))).toContain("did not end within 1 s");
});

it("never repeats a value, whatever a command prints and says", () => {
  const text = fc.string({ unit: "grapheme-ascii", minLength: 6, maxLength: 40 }).filter((one) => one.trim() === one);
  const status = fc.constantFrom(0, 1, null);
  fc.assert(
    fc.property(text, text, status, fc.constantFrom("", "{", '{"values":', "["), (keyId, secretKey, code, before) => {
      const values = { keyId, secretKey };
      const run = {
        status: code,
        stdout: before + JSON.stringify(values),
        stderr: `${keyId}|${secretKey}`,
        tooLong: false,
      };
      const asked = { ...verify, values };
      try {
        readAnswer(by("node verify.mjs"), asked, run, {});
        expect.unreachable();
      } catch (error) {
        const said = messageOf(error).split("it said: ")[1];
        expect(said).toBe("[secret]|[secret]");
      }
    }),
  );
});

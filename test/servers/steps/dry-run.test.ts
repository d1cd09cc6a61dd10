import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";

const pair = { keyId: "PKABCDEFGHIJKLMNOPQR", secretKey: "a-secret-of-this-test" };

const run = (command: string, timeout = 30) =>
  execa("node", [join(projectRoot(), "dist/steps/dry-run.mjs")], {
    input: JSON.stringify({ command, service: "orchestrator", timeout, wayBack: "go back so", secrets: [pair] }),
    env: { PULUMI_CONFIG_PASSPHRASE: "a-passphrase", VAULT_TOKEN: "a-token-of-vault", PGPASSWORD: "a-password" },
    reject: false,
  });

describe("the dry run", () => {
  it("passes a command that ends well and says nothing wrong", async () => {
    const { exitCode, stdout } = await run("echo 'INFO: Account fetched successfully'; echo 'INFO: no errors'");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ lines: 2 });
  });

  it.each([
    [
      "an error on stdout",
      "echo '2026-11-23 ERROR: 401 Unauthorized'",
      /expected no error in its output, found:\n {2}2026-11-23 ERROR: 401/,
    ],
    ["an error on stderr", "echo 'CRITICAL no account' >&2", /found:\n {2}CRITICAL no account/],
    ["a traceback", "echo 'Traceback (most recent call last):'", /found:\n {2}Traceback/],
    [
      "another exit status",
      "echo it went wrong; exit 3",
      /expected it to end with status 0, found 3; it said:\n {2}it went wrong/,
    ],
    ["a command that is not there", "no-such-command-here", /found 127/],
    ["a quote in the command", `echo "it's an ERROR"`, /it's an ERROR/],
  ])("fails for %s, and says how to go back", async (_, command, message) => {
    const { exitCode, stderr } = await run(command);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).toContain("go back so");
  });

  it("ends a command that does not end", async () => {
    const { exitCode, stderr } = await run("echo waiting; sleep 60", 5);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/did not end within 5 s; it said last:\n {2}waiting/);
  });

  it("keeps both halves of a pair out of its message", async () => {
    const { stderr } = await run(`echo "ERROR key_id=${pair.keyId} secret=${pair.secretKey}"`);
    expect(stderr).toContain("ERROR key_id=[secret] secret=[secret]");
    expect(stderr).not.toContain(pair.secretKey);
  });

  it("gives the command none of the pipeline's own credentials", async () => {
    const { stderr } = await run("env | grep -E 'PULUMI|VAULT_TOKEN|PGPASSWORD'; echo ERROR end");
    expect(stderr).toContain("found:\n  ERROR end");
    expect(stderr).not.toMatch(/PULUMI_CONFIG_PASSPHRASE|a-passphrase/);
    const { exitCode } = await run('test -z "$PULUMI_CONFIG_PASSPHRASE$VAULT_TOKEN$PGPASSWORD"');
    expect(exitCode).toBe(0);
  });
});

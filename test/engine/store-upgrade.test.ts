import { describe, expect, it } from "vitest";
import { fine } from "./cli-support";
import { stateOfFormerWrites } from "./former-writes";
import { auditRows, type Bench, setDay, stored, UNCHANGED, up, useBench } from "./harness";
import { previewed, restartsOf } from "./preview-support";
import { stateBefore } from "./state-before";

const PATHS = ["database/username", "database/password"];
const seen = async (bench: Bench) => ({
  held: await Promise.all(PATHS.map((path) => stored(bench, path))),
  restarts: restartsOf(bench),
  rows: (await auditRows(bench)).length,
});

describe.each(["vault", "aws"] as const)("a stack from before the store was written by a step, %s", (store) => {
  const bench = useBench({ labOptions: { store } });

  it("goes over without a version, a restart or a danger, and rotates and goes back after that", async () => {
    await up(bench());
    await setDay(bench(), 89);
    await up(bench());
    const { stack } = bench();
    const versions = Object.fromEntries(
      await Promise.all(PATHS.map(async (path) => [`paper/${path}`, String((await stored(bench(), path)).version)])),
    );
    const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
    const restore = async (state: string) => {
      const imported = await stack.pulumi(["stack", "import"], { input: state });
      expect(imported.exitCode, imported.stderr).toBe(0);
    };
    // From the version before this one to the next activation, nothing changes.
    await restore(stateOfFormerWrites(stdout));
    expect(await previewed(bench())).toEqual([]);
    await restore(stateBefore(stdout, versions));

    const was = await seen(bench());
    const lines = await previewed(bench());
    expect(lines.filter((line) => line.startsWith("delete ")).length).toBeGreaterThan(1);
    // What the commands will answer is not known before they run; the row is the same then.
    const expected = /^(create|update|delete|replace) (database-password-(database-\w+(-\w+)?|audit-row)|vault) /;
    for (const line of lines) expect(line).toMatch(expected);
    const plan = await fine(bench(), ["plan"]);
    expect(plan).not.toContain("would be deleted");
    await up(bench());
    expect(await seen(bench())).toEqual(was);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    // The next activation runs every step that earlier versions replaced in place, and only the value is replaced.
    await setDay(bench(), 178);
    const changes = await previewed(bench());
    expect(
      changes.filter((line) => /^(create|delete) .*-(store-\w+|(username|password)(-\w+)?) /.test(line)).sort(),
    ).toEqual([
      "create database-password-store-mark []",
      "create database-password-store-write []",
      "delete database-password-database-password []",
      `delete database-password-database-password-${store === "vault" ? "metadata" : "tags"} []`,
      "delete database-password-database-username []",
      `delete database-password-database-username-${store === "vault" ? "metadata" : "tags"} []`,
      "delete database-password-store-unchanged []",
    ]);
    const replaced = changes.filter((line) => /^(create-)?replace/.test(line));
    expect(
      replaced.every((line) => /-slot-b-password /.test(line)),
      replaced.join("\n"),
    ).toBe(true);
    await up(bench());
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect((await seen(bench())).held).not.toEqual(was.held);
    await bench().lab.healthy();
    if (store === "aws") {
      const { VersionIdsToStages = {} } = await secretsOf(bench()).describeSecret({
        SecretId: "paper/database/password",
      });
      const previous = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes("AWSPREVIOUS"))?.[0];
      expect(previous).toBe(was.held[1]?.version);
    }
  });
});

function secretsOf({ lab }: Bench) {
  if (lab.moto === undefined) throw new Error("the lab has no emulator of AWS");
  return lab.moto.secrets;
}

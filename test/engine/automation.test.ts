import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { afterAll, describe, expect, it, vi } from "vitest";
import { verifyChain } from "../../audit/verify";
import { auditRows, type Bench, login, setDay, stored, useBench } from "./harness";
import { labSecrets, leaksIn } from "./leak-support";

describe("the Automation API", () => {
  const bench = useBench();
  afterAll(() => void vi.unstubAllEnvs());

  it("rotates as the CLI does, tells no credential in its events, and its audit rows cannot be changed unseen", {
    timeout: 600_000,
  }, async () => {
    const { stack: deployed } = bench();
    // Where the API looks for the CLI.
    vi.stubEnv("PATH", deployed.env.PATH);
    const workspace = { workDir: deployed.projectDir, envVars: { ...deployed.env } };
    const stack = await LocalWorkspace.selectStack(
      { stackName: deployed.name, workDir: deployed.projectDir },
      workspace,
    );
    await stack.up();
    await setDay(bench(), 89);
    const events: string[] = [];
    const preview = await stack.preview({ onEvent: (event) => events.push(JSON.stringify(event)) });
    expect(preview.changeSummary).toMatchObject({ replace: 11, update: 7 });
    const { summary, outputs } = await stack.up({ onEvent: (event) => events.push(JSON.stringify(event)) });
    expect(summary.result).toBe("succeeded");
    expect(outputs.secrets).toMatchObject({
      secret: false,
      value: {
        "database/password": { generation: 2, strategy: "alternating-users", state: { slots: [2, 1], active: 0 } },
      },
    });
    const { value } = await stored(bench(), "database/password");
    expect(await login(bench(), "trader_a", value)).toBe("ok");
    expect(events.length).toBeGreaterThan(50);
    expect(leaksIn(events.join("\n"), { ...labSecrets(bench()), "the new password": value })).toEqual([]);
    expect((await stack.up()).summary.resourceChanges).toEqual({ read: 1, same: expect.any(Number) });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
    ]);

    expect(await verified(bench())).toMatchObject({ valid: true, problems: [] });
    const change = "UPDATE secret_rotation_log SET rotated_by = 'nobody' WHERE id = 2";
    await expect(bench().lab.postgres.query(change)).rejects.toThrow(/append-only/);
    await bench().lab.postgres.query(`SET session_replication_role = replica; ${change}`);
    const { valid, problems } = await verified(bench());
    expect(valid).toBe(false);
    expect(problems).toMatchObject([{ id: 2, kind: "changed" }]);
  });
});

const verified = ({ lab }: Bench) => lab.postgres.session((client) => verifyChain(client));

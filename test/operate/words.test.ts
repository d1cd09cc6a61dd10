import { describe, expect, it } from "vitest";
import { planMarkdown, renderPlan } from "../../cli/render/plan";
import { phaseTeller } from "../../cli/render/run";
import { type EngineResult, type Step, withoutPlanned } from "../../operate/engine";
import { describeSituation, failureOf } from "../../operate/failure";
import { PHASES, phaseOf, secretOf } from "../../operate/phases";
import { planInWords } from "../../operate/plan-words";
import { clearLocks, locksIn } from "../../operate/recover";
import { nextSteps } from "../../operate/run-failure";
import type { Outline } from "../../operate/settings";
import { describePlan, readPlan } from "../../rotation/plan";

const URN = "urn:pulumi:paper::secret-rotation::secret-rotation:index:PostgresPassword$";
const step = (name: string, type: string, op: string, more: Partial<Step> = {}): Step => ({
  op,
  type,
  name,
  urn: `${URN}${more.urn ?? ""}${type}::${name}`,
  oldInputs: more.oldInputs ?? {},
  newInputs: more.newInputs ?? {},
});
const slot = (op: string, before: string, after: string) =>
  step("database-password-slot-a-password", "random:index/randomPassword:RandomPassword", op, {
    oldInputs: { keepers: { generation: before } },
    newInputs: { keepers: { generation: after } },
  });
const result = (steps: Step[], more: Partial<EngineResult> = {}): EngineResult => ({
  ok: true,
  steps,
  messages: ["database/password: rotates from generation 1 to 2 (due by age)"],
  errors: [],
  failedStep: undefined,
  ...more,
});
const outline = {
  environment: "paper",
  secrets: [{ name: "database/password" }, { name: "database/password-reader" }],
  services: { "signal-service": { hosts: ["trading-1"] } },
} as unknown as Outline;

describe("a plan in words", () => {
  it("names what Vault does for short-lived logins", () => {
    const role = "vault:database/secretBackendRole:SecretBackendRole";
    const command = "command:local:Command";
    const plan = planInWords(
      "paper",
      outline,
      result([
        step("database-password-role-signal-service", role, "update", { newInputs: { name: "signal-service-trader" } }),
        step("database-password-proof-signal-service", command, "create-replacement"),
        step("database-password-end-older", command, "create-replacement"),
      ]),
    );
    expect(plan.secrets[0]?.steps).toEqual([
      { phase: "store", text: "has Vault make logins on demand: role signal-service-trader" },
      { phase: "verify", text: "tries a login that Vault makes for signal-service, and ends it" },
      { phase: "settle", text: "ends every login from before, by Vault" },
    ]);
  });

  it("names what happens, in its order, and nothing that only accompanies it", () => {
    const restart = step(
      "database-password-restart-signal-service-trading-1",
      "command:remote:Command",
      "create-replacement",
      {
        urn: "secret-rotation:index:RollingRestart$",
      },
    );
    const owner = step("database-password-role", "postgresql:index/role:Role", "update", {
      oldInputs: { name: "trader", login: true },
      newInputs: { name: "trader", login: false },
    });
    const plan = planInWords("paper", outline, result([slot("create-replacement", "0", "2"), restart, owner]));
    expect(plan.secrets[0]).toMatchObject({
      action: "ROTATE",
      steps: [
        { phase: "new value", text: "makes the value of slot a (generation 0 => 2)" },
        { phase: "restart", text: "restarts signal-service on trading-1 and waits until it is healthy" },
        { phase: "settle", text: "lets the role trader log in no more" },
      ],
    });
    expect(plan.dangers).toEqual([]);
    expect(
      renderPlan(plan)
        .split("\n")
        .every((line) => line.length <= 80),
    ).toBe(true);
    expect(planMarkdown(plan)).toContain("1. makes the value of slot a");
  });

  it("calls a password that is replaced without a new generation a danger, and a role that is deleted", () => {
    const role = step("database-password-role", "postgresql:index/role:Role", "delete", {
      oldInputs: { name: "trader" },
    });
    const { dangers } = planInWords("paper", outline, result([slot("create-replacement", "2", "2"), role]));
    expect(dangers).toHaveLength(2);
    expect(dangers[0]).toContain("without a new generation");
  });

  it("reads back every headline that the program writes", () => {
    for (const action of ["ADOPT", "ROTATE", "ROLLBACK", "REVOKE", undefined] as const) {
      const line = describePlan({ secret: "a/b", action, from: 1, to: 2, reason: "because: of (this)" });
      expect(readPlan(line)).toEqual({ secret: "a/b", action });
    }
    expect(readPlan("something else: said")).toBeUndefined();
  });

  it("finds the secret by the longest name", () => {
    const names = ["database/password", "database/password-reader"];
    expect(secretOf("database-password-reader-slot-a-password", names)).toBe("database/password-reader");
    expect(secretOf("database-password-slot-a-password", names)).toBe("database/password");
    expect(secretOf("vault", names)).toBeUndefined();
  });
});

describe("steps in words", () => {
  const texts = (steps: Step[]) =>
    planInWords("paper", outline, result(steps)).secrets[0]?.steps.map(({ phase, text }) => [phase, text]);

  it("what only looks, and what only marks", () => {
    const command = "command:local:Command";
    const create = "node dist/steps/store-mark.mjs secret/paper/database/username";
    const marks = step("database-password-database-username-metadata", command, "update", { newInputs: { create } });
    const after = "when it was rotated, until when the one before works";
    expect(
      texts([
        step("database-password-store-unchanged", command, "create-replacement"),
        step("database-password-versions-before", command, "create"),
        step("database-password-dry-run", command, "create"),
        marks,
        step("database-password-database-username-tags", command, "create"),
      ]),
    ).toEqual([
      ["preflight", "makes sure that nobody else has written to the store"],
      ["preflight", "notes which versions the store has"],
      ["confirm", "makes the dry run"],
      ["settle", `marks secret/paper/database/username: ${after}`],
      ["settle", `marks database-password-database-username: ${after}`],
    ]);
  });

  it("what is written, and what leaves the state of an earlier version of the program and stays in the store", () => {
    const create = "node dist/steps/store-write.mjs 'my mount/paper/database/password'";
    const before = {
      ...step("database-password-database-password", "vault:kv/secretV2:SecretV2", "delete"),
      retained: true,
    };
    const steps = [
      step("database-password-database-password", "command:local:Command", "update", { newInputs: { create } }),
      before,
      step("database-password-database-password-metadata", "vault:generic/endpoint:Endpoint", "delete"),
    ];
    const stays = "what it wrote stays in the store";
    expect(texts(steps)).toEqual([
      ["store", "writes my mount/paper/database/password, beside what others keep there, and reads it back"],
      ["store", `forgets database-password-database-password (vault:kv/secretV2:SecretV2); ${stays}`],
      ["settle", `forgets database-password-database-password-metadata (vault:generic/endpoint:Endpoint); ${stays}`],
    ]);
    expect(planInWords("paper", outline, result(steps)).dangers).toEqual([]);
    const deleted = planInWords("paper", outline, result([{ ...before, retained: false }]));
    expect(deleted.dangers).toEqual([
      "database-password-database-password (vault:kv/secretV2:SecretV2) would be deleted",
    ]);
  });

  it("progress names each restart with its host, and each phase once", () => {
    const told: string[] = [];
    const tell = phaseTeller(["database/password"], outline, (text) => told.push(text));
    const restart = step("database-password-restart-signal-service-trading-1", "command:remote:Command", "create", {
      urn: "secret-rotation:index:RollingRestart$",
    });
    for (const happens of [slot("create", "-1", "1"), slot("create", "-1", "1"), restart, slot("same", "1", "1")])
      tell({ kind: "begins", step: happens });
    expect(told).toEqual([
      "database/password: making the new value",
      "database/password: restarting signal-service on trading-1",
    ]);
  });
});

describe("a failure in words", () => {
  const failed = step(
    "database-password-restart-signal-service-trading-1",
    "command:remote:Command",
    "create-replacement",
    {
      urn: "secret-rotation:index:RollingRestart$",
    },
  );

  it("leaves out the script that the provider prints", () => {
    const text =
      'Process exited with status 1: running "set -u\\necho \\"x\\"; exit 1":\nsignal-service is not healthy';
    const failure = failureOf(
      result([], { ok: false, failedStep: failed, errors: [{ text, resource: failed.name }] }),
      ["database/password"],
    );
    expect(failure).toMatchObject({
      secret: "database/password",
      phase: "restart",
      touched: true,
      reason: "signal-service is not healthy",
    });
    expect(phaseOf(failed)).toBe("restart");
  });

  it("leaves out the values that the engine prints where an update is not what was planned", () => {
    const said =
      'resource urn:x::preflight-checks violates plan: properties changed: ~~stdin[{&{{{"password":"hunter22"}}}}!={&{{{"password":"hunter23"}}}}], ++triggers[{[{a}]}]';
    expect(withoutPlanned(said)).toBe(
      "resource urn:x::preflight-checks violates plan: properties changed: stdin, triggers",
    );
    const guarded =
      "resource urn:x::database-password violates plan: ignoreChanges changed: added secret-config-1f0c, state-1234567890ab; deleted secret-config-9b27, state-ba0987654321";
    expect(withoutPlanned(guarded)).toBe(
      "secret config and state changed between the preview and the update: run it again",
    );
    expect(withoutPlanned("something else, ~~stdin[x]")).toBe("something else, ~~stdin[x]");
  });

  it("tells how far an update came whose state could not be saved: no step of it fails", () => {
    const steps = [
      step("database-password-role-a", "postgresql:index/role:Role", "update"),
      step("database-password-database-username", "command:local:Command", "update", {
        newInputs: { create: "node dist/steps/store-write.mjs secret/paper/database/username" },
      }),
      step("other-password-slot-a-password", "random:index/randomPassword:RandomPassword", "create-replacement"),
      step("database-password-restart-signal-service-trading-1", "command:remote:Command", "same"),
    ];
    const text =
      "post-step event returned an error: failed to save snapshot: write paper.json: no space left on device";
    const failure = failureOf(result(steps, { ok: false, errors: [{ text, resource: undefined }] }), [
      "database/password",
      "other/password",
    ]);
    expect(failure).toMatchObject({ secret: "database/password", phase: "store", touched: true });
    const next = nextSteps({ secret: "database/password", failure, situation: "", target: 1 }, "paper", false);
    expect(next[0]).toContain("make room where the state is kept");
    expect(next[1]).toContain("rotation run --stack paper");
  });

  it("says something of its own for every phase and both strategies", () => {
    const base = { secret: "a/b", resource: "r", reason: "x", detail: "x", touched: true };
    for (const strategy of ["single-user", "alternating-users"]) {
      const texts = [undefined, ...PHASES].map((phase) =>
        describeSituation({
          failure: { ...base, phase },
          strategy,
          from: 1,
          services: ["one", "two", "three"],
          stoppedAt: "two",
        }),
      );
      expect(texts.every((text) => text.length > 20)).toBe(true);
      expect(texts.join()).toContain("one: restarted, healthy");
      expect(texts.join()).toContain("three: not restarted");
    }
  });
});

describe("locks", () => {
  const message = (pid: number, host: string) =>
    `the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.\n  file:///x/1.json: created by root@${host} (pid ${pid}) at 2026-11-23T08:00:00Z`;

  it("are read out of Pulumi's words", () => {
    expect(locksIn(message(4711, "ci"))).toEqual([
      { username: "root", hostname: "ci", pid: 4711, timestamp: "2026-11-23T08:00:00Z" },
    ]);
    expect(locksIn("something else")).toEqual([]);
  });

  it("of a machine that cannot be looked at are never taken away", async () => {
    const cancel = () => Promise.reject(new Error("must not be called"));
    await expect(clearLocks({ cancel }, locksIn(message(1, "another-machine")))).rejects.toThrow(
      /root@another-machine/,
    );
  });
});

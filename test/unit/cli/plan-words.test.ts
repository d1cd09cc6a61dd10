import { describe, expect, it } from "vitest";
import type { Step } from "../../../cli/operate/engine";
import { planInWords } from "../../../cli/operate/plan-words";
import { planMarkdown, renderPlan } from "../../../cli/render/plan";
import { phaseTeller } from "../../../cli/render/run";
import { secretOf } from "../../../core/resource-names";
import { outline, result, runs, slot, step } from "./words-support";

describe("a plan in words", () => {
  it("names what Vault does for short-lived logins", () => {
    const role = "vault:database/secretBackendRole:SecretBackendRole";
    const plan = planInWords(
      "paper",
      outline,
      result([
        step("database-password-role-signal-service", role, "update", { newInputs: { name: "signal-service-trader" } }),
        runs("database-password-proof-signal-service", "lease-proof", "create-replacement"),
        runs("database-password-end-older", "lease-end-older", "create-replacement"),
      ]),
    );
    expect(plan.secrets[0]?.steps).toMatchObject([
      { phase: "store", text: "has Vault make logins on demand: role signal-service-trader" },
      { phase: "verify", text: "tries a login that Vault makes for signal-service, and ends it" },
      { phase: "settle", text: "has Vault end every earlier login" },
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
    const owner = step("database-password-login", "secret-rotation:index:LoginRole", "update", {
      oldInputs: { role: "trader", login: true },
      newInputs: { role: "trader", login: false },
    });
    const plan = planInWords("paper", outline, result([slot("create-replacement", "0", "2"), restart, owner]));
    expect(plan.secrets[0]).toMatchObject({
      action: "ROTATE",
      steps: [
        { phase: "new value", text: "makes the value of slot a (generation 0 => 2)" },
        { phase: "restart", text: "restarts signal-service on trading-1 and waits until it is healthy" },
        { phase: "settle", text: "revokes the login of the role trader" },
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

  it("says that nothing restarts if only settings changed, or if it was done before", () => {
    const restart = (op: string, newInputs = {}) =>
      step("database-password-restart-signal-service-trading-1", "command:local:Command", op, {
        urn: "secret-rotation:index:RollingRestart$",
        newInputs,
      });
    const texts = (changed: Step) =>
      planInWords("paper", outline, result([changed])).secrets[0]?.steps.map(({ text }) => text);
    const inputs = (rolledOut: string) => ({
      interpreter: ["/usr/bin/env", `ROLLED_OUT=${rolledOut}`, "/bin/sh", "-c"],
      triggers: ["1"],
    });
    expect(texts(restart("update", { update: "true" }))).toEqual([
      "keeps new settings for the restart of signal-service on trading-1; nothing is restarted",
    ]);
    expect(texts(restart("create", inputs("1")))).toEqual([
      "notes that signal-service on trading-1 was restarted before, and restarts nothing",
    ]);
    expect(texts(restart("delete"))).toEqual([
      "forgets database-password-restart-signal-service-trading-1 (command:local:Command); it stays as it is",
    ]);
    for (const rolledOut of ["", "0"])
      expect(texts(restart("create", inputs(rolledOut)))).toEqual([
        "restarts signal-service on trading-1 and waits until it is healthy",
      ]);
  });

  it("calls a password that is replaced without a new generation a danger, and a role that is deleted", () => {
    const role = step("database-password-role", "postgresql:index/role:Role", "delete", {
      oldInputs: { name: "trader" },
    });
    const { dangers } = planInWords("paper", outline, result([slot("create-replacement", "2", "2"), role]));
    expect(dangers).toHaveLength(2);
    expect(dangers[0]).toContain("without a new generation");
  });

  it("goes by what the program decided, not by what it says to people", () => {
    const said = { messages: ["database/password: rolls back to generation 1 (a request)"] };
    const [plan, other] = planInWords("paper", outline, result([], said)).secrets;
    expect(plan).toMatchObject({
      action: "ROTATE",
      headline: "database/password: rotates from generation 1 to 2 (due by age)",
    });
    expect(other).toMatchObject({ action: undefined, headline: "database/password-reader: nothing is known" });
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
    const create = "node dist/steps/store-mark.mjs secret/paper/database/username";
    const marks = step("database-password-database-username-metadata", "command:local:Command", "update", {
      newInputs: { create },
    });
    const after = "when it was rotated, until when the previous one works";
    expect(
      texts([
        runs("database-password-store-unchanged", "store-unchanged", "create-replacement"),
        runs("database-password-versions-before", "store-versions", "create"),
        runs("database-password-dry-run", "dry-run", "create"),
        marks,
        runs("database-password-database-username-tags", "store-mark", "create"),
      ]),
    ).toEqual([
      ["preflight", "checks that there was no external write to the store"],
      ["preflight", "notes which versions the store has"],
      ["confirm", "makes the dry run"],
      ["settle", `marks secret/paper/database/username: ${after}`],
      ["settle", `marks database-password-database-username-tags: ${after}`],
    ]);
  });

  it("what is written, and what leaves the state of an earlier version of the program and stays in the store", () => {
    const create = "node dist/steps/store-write.mjs 'my mount/paper/database/password'";
    const before = {
      ...step("database-password-database-password", "vault:kv/secretV2:SecretV2", "delete"),
      retained: true as const,
    };
    const endpoint = step("database-password-database-password-metadata", "vault:generic/endpoint:Endpoint", "delete");
    const steps = [
      step("database-password-database-password", "command:local:Command", "update", { newInputs: { create } }),
      before,
      { ...endpoint, oldInputs: { disableDelete: true } },
    ];
    const stays = "it stays as it is";
    expect(texts(steps)).toEqual([
      ["store", "writes my mount/paper/database/password, beside what others keep there, and reads it back"],
      ["store", `forgets database-password-database-password (vault:kv/secretV2:SecretV2); ${stays}`],
      ["settle", `forgets database-password-database-password-metadata (vault:generic/endpoint:Endpoint); ${stays}`],
    ]);
    expect(planInWords("paper", outline, result(steps)).dangers).toEqual([]);
    const { retained: _, ...lost } = before;
    const deleted = planInWords("paper", outline, result([lost]));
    expect(deleted.dangers).toEqual([
      "database-password-database-password (vault:kv/secretV2:SecretV2) would be deleted",
    ]);
  });

  it("progress names each restart with its host, and each phase once", () => {
    const told: string[] = [];
    const tell = phaseTeller(["database/password"], outline, {
      step: (text) => void told.push(text),
      failed: (secret) => void told.push(`failed ${secret}`),
    });
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

describe("a change of the config alone", () => {
  const restart = (op: string, trigger: string) =>
    step("database-password-restart-signal-service-trading-1", "command:remote:Command", op, {
      urn: "secret-rotation:index:RollingRestart$",
      oldInputs: { update: "true", triggers: ["1"] },
      newInputs: { update: "true", triggers: [trigger] },
    });

  it("restarts nothing, writes no row, and says so", () => {
    const row = runs("database-password-audit-row", "audit-record", "update");
    const checks = runs("database-password-preflight-checks", "preflight", "update", { newInputs: { update: "true" } });
    const plan = planInWords("paper", outline, result([checks, restart("update", "1"), row]));
    const texts = plan.secrets[0]?.steps.map(({ text }) => text);
    expect(texts).toEqual([
      "checks that the row of the last step is in secret_rotation_log; writes none",
      "keeps new settings for the restart of signal-service on trading-1; nothing is restarted",
      "keeps new settings of database-password-preflight-checks; nothing runs",
    ]);
    expect(texts?.join()).not.toMatch(/restarts |writes the row/);
  });

  it("repeats the last answer of a step in place, and runs it for another activation", () => {
    const inPlace = (name: string, step: string, before: string | undefined, once: object = {}) =>
      runs(name, step, "update", {
        oldInputs:
          before === undefined ? { triggers: ["1"] } : { environment: { ROTATION_ACTIVATION: before, ...once } },
        newInputs: { environment: { ROTATION_ACTIVATION: "2", ...once } },
      });
    const row = (before: string | undefined) => inPlace("database-password-audit-row", "audit-record", before);
    const checks = (before: string | undefined) =>
      inPlace("database-password-preflight-checks", "preflight", before, { ROTATION_ONCE: "1" });
    const texts = (before: string | undefined) =>
      planInWords("paper", outline, result([checks(before), row(before)])).secrets[0]?.steps.map(({ text }) => text);
    expect(texts("2")).toEqual([
      "checks that the row of the last step is in secret_rotation_log; writes none",
      "keeps new settings of database-password-preflight-checks; nothing runs",
    ]);
    for (const before of ["1", undefined])
      expect(texts(before)).toEqual([
        "checks store, database, hosts, services, market and the credential in use, and stops here if one fails",
        "writes the row into secret_rotation_log",
      ]);
  });

  it("is another matter if the triggers move", () => {
    const plan = planInWords("paper", outline, result([restart("create-replacement", "2")]));
    expect(plan.secrets[0]?.steps).toEqual([
      {
        phase: "restart",
        text: "restarts signal-service on trading-1 and waits until it is healthy",
        resource: "database-password-restart-signal-service-trading-1",
      },
    ]);
  });
});

describe("resources that leave the program", () => {
  const leaving = [
    ["database-password-role", "postgresql:index/role:Role", { name: "trader" }],
    [
      "database-password-database-password",
      "vault:kv/secretV2:SecretV2",
      { mount: "secret", name: "paper/database/password" },
    ],
    ["database-password-database-password", "aws:secretsmanager/secretVersion:SecretVersion", {}],
    ["database-password-restart-orchestrator", "command:remote:Command", {}],
  ] as const;

  it.each(leaving)("%s (%s) is forgotten if it is retained, and no danger then", (name, type, oldInputs) => {
    const gone = { ...step(name, type, "delete", { oldInputs }), retained: true as const };
    const forgotten = planInWords("paper", outline, result([gone]));
    expect(forgotten.dangers).toEqual([]);
    expect(forgotten.secrets[0]?.steps[0]?.text).toMatch(/^forgets .*; it stays as it is$/);
  });

  it("a command without a script for its end is forgotten as well", () => {
    const gone = step("database-password-restart-orchestrator", "command:remote:Command", "delete", { oldInputs: {} });
    expect(planInWords("paper", outline, result([gone])).secrets[0]?.steps[0]?.text).toMatch(/^forgets /);
  });

  it.each(leaving.slice(0, 3))("%s (%s) is a danger if it would be deleted", (name, type, oldInputs) => {
    expect(planInWords("paper", outline, result([step(name, type, "delete", { oldInputs })])).dangers).toHaveLength(1);
  });
});

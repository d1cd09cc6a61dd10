import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { PreviousSecret } from "../../../components/previous-secrets";
import { activationsIn } from "../../../core/phases";
import { activation, type SecretState } from "../../../core/state";
import { createSecrets, prepareSecrets } from "../../../kinds/create-secrets";
import { A, settings as alpacaSettings } from "./alpaca-updates";
import { platformOf } from "./platform";
import { type Declared, declare, inputOf, namedIn, order } from "./strict-mocks";

const password = (name: string, strategy: string, restart: string[]) => ({
  ...{ kind: "postgres-password", name: `${name}/password`, strategy, role: name, restart },
  database: { host: "db", name, sslmode: "disable" },
});

/** Two passwords that the orchestrator reads, and between them one that has no second login. */
const settings = (shared: boolean) =>
  alpacaSettings(
    { current: A },
    {
      ...(shared ? { restarts: { shared } } : {}),
      alpacaKeys: {},
      secrets: [
        password("trader", "alternating-users", ["orchestrator", "execution-gateway"]),
        password("single", "single-user", ["orchestrator"]),
        password("reports", "alternating-users", ["orchestrator"]),
      ],
      services: {
        "execution-gateway": { hosts: ["app-1"], health: "http://localhost:8002/health" },
        orchestrator: { hosts: ["app-1"], health: "http://localhost:8001/health" },
      },
      adopted: { "trader/password": "old-1", "single/password": "old-2", "reports/password": "old-3" },
    },
  );

interface Given {
  readonly shared?: boolean;
  readonly day: number;
  readonly previous?: Record<string, PreviousSecret>;
}

/** What one update declares, and the outputs that it leaves. */
async function update({ shared = true, day, previous = {} }: Given) {
  const config = settings(shared);
  const now = new Date(Date.parse("2026-11-23T02:00:00Z") + day * 86_400_000);
  let outputs: Record<string, PreviousSecret> = {};
  const all = await declare(() => {
    const { services, hosts, secrets } = config;
    const platform = platformOf({ secrets, services, hosts, privateKey: pulumi.secret("key") });
    // As known before: nobody asks the database for roles that an interrupted update left.
    const known = Object.keys(previous).length > 0 ? previous : {};
    const prepared = prepareSecrets(
      config,
      { previous: known, recorded: {} },
      platform,
      { digest: "", stack: "paper", required: 0, given: [] },
      now,
      {},
    );
    const made = prepared.then((ready) => createSecrets(config, platform, ready));
    return pulumi.output(made).apply((each) => {
      outputs = each as unknown as Record<string, PreviousSecret>;
    });
  });
  return { all, outputs };
}

const state = (generation: number, more: Partial<SecretState> = {}): SecretState => ({
  ...{ slots: [0, generation], active: 1, rotatedAt: "2026-11-23T02:00:00.000Z", revoked: false },
  ...{ filledAt: [null, "2026-11-23T02:00:00.000Z"], labels: [null, null], usedLabels: [] },
  step: { sequence: 1, action: "ADOPT", generation, reason: "first", at: "2026-11-23T02:00:00.000Z" },
  ...more,
});
const rolledOut = (restartedBy = "shared step"): Record<string, PreviousSecret> =>
  Object.fromEntries(
    ["trader", "single", "reports"].map((name) => [`${name}/password`, { state: state(1), restartedBy }]),
  );
const restarts = (all: readonly Declared[]) => order(all).filter((name) => name.includes("restart-"));
const activations = (all: readonly Declared[], name: string) => activationsIn(namedIn(all, name) ?? {});
const at = (all: readonly Declared[], name: string) => {
  expect(order(all)).toContain(name);
  return order(all).indexOf(name);
};

describe("shared restarts", () => {
  it("restart each service once, after all values are in the store and before any is confirmed", async () => {
    const { all } = await update({ day: 89, previous: rolledOut() });
    expect(restarts(all)).toEqual([
      "reports-password-shared-restart-orchestrator-app-1",
      "reports-password-shared-restart-execution-gateway-app-1",
      // Its old password ends with the change: it waits for nothing and is waited for by nothing.
      "single-password-restart-orchestrator-app-1",
    ]);
    const inOrder = [
      "trader-password-preflight-checks",
      "reports-password-preflight-checks",
      "trader-password-store-write",
      "reports-password-store-write",
      "reports-password-shared-restart-orchestrator-app-1",
      "reports-password-shared-restart-execution-gateway-app-1",
      "trader-password-confirm-login",
      "trader-password-audit-row",
      "reports-password-confirm-login",
      "reports-password-audit-row",
      "single-password-preflight-checks",
    ].map((name) => at(all, name));
    expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
    // Both secrets trigger the service that both name, and only one the other.
    expect(activations(all, "reports-password-shared-restart-orchestrator-app-1")).toEqual([
      "trader/password: 2",
      "reports/password: 2",
    ]);
    expect(activations(all, "reports-password-shared-restart-execution-gateway-app-1")).toEqual(["trader/password: 2"]);
    expect(inputOf(all, "reports-password-shared-restart-orchestrator-app-1")).toMatchObject({
      service: "orchestrator",
      activation: "trader/password: 2, reports/password: 2",
    });
  });

  it("come after one look at the whole platform, by the first that acts; the others look at what they restart", async () => {
    const { all } = await update({ day: 89, previous: rolledOut() });
    const looked = (name: string) => {
      const { services } = inputOf(all, `${name}-password-preflight-checks`) as { services: { name: string }[] };
      const { after = [] } = all.find((one) => one.name === `${name}-password-preflight-checks`) ?? {};
      return [services.map((service) => service.name), after.includes("trader-password-preflight-checks")];
    };
    expect(looked("trader")).toEqual([["execution-gateway", "orchestrator"], false]);
    for (const name of ["reports", "single"]) expect(looked(name)).toEqual([["orchestrator"], true]);

    // Who acts alone looks at all of it, and an idle secret's preflight stays as it was.
    const idle = rolledOut();
    const young = { rotatedAt: "2027-02-01T02:00:00.000Z" };
    for (const name of ["trader", "reports"])
      idle[`${name}/password`] = { state: state(1, { ...young, platformSeenBy: "trader/password" }) };
    const { all: alone } = await update({ day: 89, previous: idle });
    expect(inputOf(alone, "single-password-preflight-checks").services).toHaveLength(2);
    expect(inputOf(alone, "reports-password-preflight-checks").services).toHaveLength(1);
  });

  it("change no trigger of a service that none of the due secrets names", async () => {
    const due = rolledOut();
    const young = { rotatedAt: "2027-02-01T02:00:00.000Z" };
    due["trader/password"] = { state: state(1, young), restartedBy: "shared step" };
    const { all } = await update({ day: 89, previous: due });
    expect(activations(all, "reports-password-shared-restart-orchestrator-app-1")).toEqual([
      "trader/password: 1",
      "reports/password: 2",
    ]);
    expect(activations(all, "reports-password-shared-restart-execution-gateway-app-1")).toEqual(["trader/password: 1"]);
  });

  it("that are new to a stack restart nothing, and nor do those of each secret when they come back", async () => {
    const marks = (all: readonly Declared[]) =>
      restarts(all).map((name) => [name, (namedIn(all, name)?.interpreter as string[] | undefined)?.[1]]);
    const on = await update({ day: 1, previous: rolledOut("step") });
    expect(marks(on.all)).toContainEqual([
      "reports-password-shared-restart-orchestrator-app-1",
      "ROLLED_OUT=trader/password: 1, reports/password: 1",
    ]);
    expect(
      Object.values(on.outputs)
        .map(({ restartedBy }) => restartedBy)
        .toSorted(),
    ).toEqual([...["shared step", "shared step", "step"]]);
    const off = await update({ shared: false, day: 1, previous: rolledOut() });
    expect(marks(off.all)).toContainEqual([
      "trader-password-restart-orchestrator-app-1",
      `ROLLED_OUT=${activation(state(1))}`,
    ]);
    expect(restarts(off.all).filter((name) => name.includes("shared"))).toEqual([]);
  });

  it("are absent without the key: each secret restarts its own, one secret after the other", async () => {
    const { all } = await update({ shared: false, day: 89, previous: rolledOut("step") });
    expect(restarts(all)).toEqual([
      "trader-password-restart-orchestrator-app-1",
      "trader-password-restart-execution-gateway-app-1",
      "single-password-restart-orchestrator-app-1",
      "reports-password-restart-orchestrator-app-1",
    ]);
    expect(at(all, "trader-password-audit-row")).toBeLessThan(at(all, "reports-password-preflight-checks"));
    expect(activations(all, "trader-password-restart-orchestrator-app-1")).toEqual(["2"]);
  });
});

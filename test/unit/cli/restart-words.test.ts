import { expect, it } from "vitest";
import { activationsOf, isRolledOut } from "../../../cli/operate/done";
import type { Step } from "../../../cli/operate/engine";
import { restartedOf } from "../../../cli/operate/look";
import { unproven } from "../../../cli/operate/proven";
import { actedFor } from "../../../cli/operate/run-failure";
import { changedBy, describe } from "../../../cli/operate/step-words";
import { sharedActivation, stepProgram } from "../../../core/phases";
import { restartOf, tagged } from "../../../core/resource-names";
import { activation, type SecretState } from "../../../core/state";
import { phaseOf } from "../../../kinds/phases";

const stateOf = (generation: number) => ({ slots: [generation, 0], active: 0 }) as unknown as SecretState;
const HOSTS = ["a", "b", "c", "d"];
const resource = (name: string, program: string, about?: string): Step => ({
  ...{ op: "create-replacement", type: "command:local:Command", name, oldInputs: {} },
  urn: `urn:pulumi:paper::secret-rotation::${program === "run-hook" ? "" : "secret-rotation:index:RollingRestart$"}command:local:Command::${name}`,
  newInputs: { create: stepProgram(program, about) },
});
const words = (
  service: object,
  name = "database-password-restart-api-b",
  program = "restart-service",
  about?: string,
) => {
  const services = { api: { hosts: HOSTS, health: "http://x", ...service } } as never;
  const step = resource(name, program, about);
  return describe(step, phaseOf(step), "database/password", { services, acts: true });
};

it("say what is done to a service at a place, and in which batch", () => {
  expect(words({})).toBe("restarts api on b and waits until it is healthy");
  const rollout = { maxUnavailable: 2, canary: 2, bake: 30_000 };
  const reload = { reload: "systemctl reload api", proof: { field: "database.user", shows: "username" } };
  expect(words({ ...reload, rollout })).toBe(
    "reloads api on b and waits until it is healthy and `database.user` shows the new credential (batch 1 of 2, a canary, watched for 30s)",
  );
  expect(words({ rollout: { ...rollout, bake: 0 } }, "database-password-restart-api-d")).toBe(
    "restarts api on d and waits until it is healthy (batch 2 of 2)",
  );
  const hook = (command: string) => ({ command, on: "host", timeout: 1 });
  const sync = { externalSecret: "trader", timeout: 1 };
  expect(words({ before: hook("drain"), after: hook("fill"), kubernetes: { sync } })).toBe(
    "runs `drain`, waits until trader has synced, restarts api on b and waits until it is healthy, runs `fill`",
  );
  // A restart that several secrets share is among the resources of one of them.
  expect(words({}, "database-password-shared-restart-api-b")).toBe("restarts api on b and waits until it is healthy");
});

it("name a hook of a rotation, and that nobody but the user knows what it changes", () => {
  const [before, after] = ["before", "after"].map((hook) => `database-password-${hook}-hook`) as [string, string];
  expect(words({}, before, "run-hook", "lb drain 'all'")).toContain("runs `lb drain");
  expect(phaseOf(resource(before, "run-hook", "x"))).toBe("before");
  expect(phaseOf(resource(after, "run-hook", "x"))).toBe("after");
  expect(changedBy(resource(before, "run-hook", "x"))).toBe("elsewhere");
  const secrets = [{ name: "database/password" }] as never;
  expect(actedFor("database/password", { secrets }, { steps: [resource(before, "run-hook", "x")] })).toEqual([
    { resource: `${before} (command:local:Command)`, known: false },
  ]);
});

it("find a shared restart by the activation of each of its secrets", () => {
  const name = "reports-password-shared-restart-api-a";
  const resources = [{ urn: `urn:x::${name}`, inputs: { triggers: ["database/password: 3", "reports/password: 1"] } }];
  expect(restartedOf(name, tagged("database/password", "3"), resources, [])).toBe("yes");
  expect(restartedOf(name, tagged("reports/password", "2"), resources, [])).toBe("no");
  expect(restartOf(name, "reports/password", { api: { hosts: ["a"] } })).toEqual({ service: "api", host: "a" });
});

it("count a shared restart as done if it was for what each of its secrets has now", () => {
  const after = {
    "database/password": { state: stateOf(3) },
    "reports/password": { state: stateOf(1) },
    "other/password": { state: stateOf(7) },
  } as never;
  const activations = activationsOf("reports/password", after);
  const at = (...triggers: string[]) => [{ urn: "urn:x::api", inputs: { triggers } }];
  const now = (secret: string, generation: number) => tagged(secret, activation(stateOf(generation)));
  const [database, reports] = [now("database/password", 3), now("reports/password", 1)];
  expect(isRolledOut("api", activations, at(database, reports))).toBe(true);
  const inPlace = (...all: string[]) => [
    {
      urn: "urn:x::api",
      inputs: { environment: { ROTATION_ACTIVATION: sharedActivation(all) }, triggers: [database] },
    },
  ];
  expect(isRolledOut("api", activations, inPlace(database, reports))).toBe(true);
  expect(isRolledOut("api", activations, inPlace(now("database/password", 2), reports))).toBe(false);
  expect(isRolledOut("api", activations, at(database))).toBe(true);
  expect(isRolledOut("api", activations, at(now("database/password", 2), reports))).toBe(false);
  // Alone, it is for one secret, and its trigger names none.
  expect(isRolledOut("api", activations, at(activation(stateOf(1))))).toBe(true);
  expect(isRolledOut("api", activations, at(activation(stateOf(3))))).toBe(false);
  expect(isRolledOut("api", activations, at())).toBe(false);
  expect(isRolledOut("web", activations, at(database))).toBe(false);
});

it("tell a service that is healthy with an old credential", () => {
  const inUse = { secret: "database/password", generation: 3, username: "trader_a", entries: [] };
  const verdict = { healthy: true, why: "", answer: "" };
  const service = (shows: string) => ({ proof: { field: "database.user", shows } }) as never;
  expect(unproven(service("username"), { ...verdict, shown: "trader_a" }, inUse)).toBeUndefined();
  expect(unproven(service("username"), { ...verdict, shown: "trader_b" }, inUse)).toBe(
    "`database.user` of its health answer is trader_b, expected trader_a",
  );
  expect(unproven(service("generation"), verdict, inUse)).toContain("is missing, expected 3");
  // What must only change shows nothing by itself.
  expect(unproven(service("changed"), { ...verdict, shown: "x" }, inUse)).toBeUndefined();
  expect(unproven({} as never, verdict, inUse)).toBeUndefined();
});

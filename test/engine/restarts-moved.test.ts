import { expect, it } from "vitest";
import { activationsIn } from "../../core/phases";
import { json, rotation, unwrapped } from "./cli-support";
import { auditRows, type Bench, setDay, up, useBench } from "./harness";
import { previewed, restartsOf } from "./preview-support";

const OWN = "command:local:Command";
const EARLIER = "command:remote:Command";

/** Pulumi's mark of a secret in a state that is exported with its secrets. */
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

interface Resource {
  urn: string;
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  ignoreChanges?: string[];
}

/** The state as the version before left it: restarts were remote commands, and no output said by what they are made. */
async function moveBack({ lab, stack }: Bench): Promise<void> {
  const exported = await stack.pulumi(["stack", "export", "--show-secrets"]);
  const state = JSON.parse(exported.stdout) as { deployment: { resources: Resource[] } };
  const moved: string[] = [];
  for (const resource of state.deployment.resources) {
    if (resource.inputs?.create !== "node dist/steps/restart-service.mjs") continue;
    const { host, ...rest } = JSON.parse(
      JSON.parse(String((resource.inputs.stdin as { plaintext: string }).plaintext)),
    );
    const { address, port, user, hostKey } = host;
    const connection = { host: address, port, user, hostKey, privateKey: rest.privateKey, dialErrorLimit: 3 };
    const inputs = {
      addPreviousOutputInEnv: false,
      connection: { ...SECRET, plaintext: JSON.stringify({ ...connection, perDialTimeout: 15 }) },
      create: `set -u\n${rest.command}\nexit 1`,
      logging: "none",
      triggers: activationsIn(resource.inputs),
      update: "true",
    };
    moved.push(resource.urn);
    Object.assign(resource, {
      type: EARLIER,
      inputs,
      outputs: { ...inputs, stdout: `${rest.service} on ${host.name} is healthy`, stderr: "" },
      ignoreChanges: undefined,
    });
  }
  expect(moved.length).toBeGreaterThan(1);
  expect(lab.hosts.length).toBe(1);
  const earlier = moved.reduce(
    (text, urn) => text.replaceAll(urn, urn.replace(OWN, EARLIER)),
    JSON.stringify(state).replaceAll('"restartedBy":"step",', ""),
  );
  const imported = await stack.pulumi(["stack", "import"], { input: earlier });
  expect(imported.exitCode, imported.stderr).toBe(0);
}

const bench = useBench();

it("a stack of the version before goes over without a restart, and restarts with its next rotation", async () => {
  await up(bench());
  await moveBack(bench());
  const restarts = restartsOf(bench());

  const lines = await previewed(bench());
  expect(lines.filter((line) => line.includes("-restart-")).toSorted()).toEqual([
    "create database-password-restart-orchestrator-trading-1 []",
    "create database-password-restart-signal-service-trading-1 []",
    "delete database-password-restart-orchestrator-trading-1 []",
    "delete database-password-restart-signal-service-trading-1 []",
  ]);
  const plan = unwrapped((await rotation(bench(), ["plan"])).stdout);
  expect(plan).toContain("notes that signal-service on trading-1 was restarted before, and restarts nothing");
  expect(plan).not.toContain("waits until it is healthy");
  await up(bench());
  expect(restartsOf(bench())).toBe(restarts);
  expect(await previewed(bench(), "--expect-no-changes")).toEqual([]);
  expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT"]);

  await setDay(bench(), 89);
  await up(bench());
  expect(restartsOf(bench())).toBe(restarts + 2);
  expect(await previewed(bench(), "--expect-no-changes")).toEqual([]);
  expect(await json<{ ok: boolean }[]>(bench(), ["validate"])).toMatchObject([{ ok: true }]);
});

it("goes over in the very update that rotates, with the restarts of that rotation", async () => {
  await moveBack(bench());
  const restarts = restartsOf(bench());
  await setDay(bench(), 178);
  await up(bench());
  expect(restartsOf(bench())).toBe(restarts + 2);
  expect(await previewed(bench(), "--expect-no-changes")).toEqual([]);
});

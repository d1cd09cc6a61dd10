import * as pulumi from "@pulumi/pulumi";
import { expect, it, onTestFinished, vi } from "vitest";
import { activationsIn, isRolledOut, rolledOutInterpreter } from "../../../core/phases";
import { declare } from "./strict-mocks";

it("the whole input of every step is a secret once a part that steps share is one", async () => {
  // Files share a worker: this must not stay.
  vi.resetModules();
  onTestFinished(() => {
    vi.resetModules();
  });
  const { hideStepInputs, stepCommand } = await import("../../../components/step-command");
  const input = { connection: { host: "db", sslpassword: "of-the-key" } };
  const secret: boolean[] = [];
  const make = (name: string) => {
    const { stdin } = stepCommand(name, { step: "audit-record", input }, {});
    return pulumi.output(pulumi.isSecret(stdin)).apply((is) => secret.push(is));
  };
  await declare(() => make("database-password-audit-row"));
  hideStepInputs();
  await declare(() => make("database-password-audit-row"));
  expect(secret).toEqual([false, true]);
});

it("in place, has its activation in the environment, and nothing that would replace it", async () => {
  const { stepCommand } = await import("../../../components/step-command");
  const made = await declare(() => {
    const input = { name: "x" };
    const all = [
      stepCommand("database-password-verify-login", { step: "verify-login", input, trigger: "3", inPlace: true }, {}),
      stepCommand(
        "database-password-preflight-checks",
        { step: "preflight", input, trigger: "3", inPlace: true, runOnInputChange: false },
        {},
      ),
      stepCommand(
        "a-shared-restart-api",
        { step: "restart-service", input, trigger: ["a: 3", "b: 1"], inPlace: 2, rolledOut: "" },
        {},
      ),
    ];
    return pulumi.all(all.map(({ id }) => id));
  });
  const stdin = '{"name":"x"}';
  const common = { stdin, logging: "none", addPreviousOutputInEnv: true };
  expect(made.map(({ inputs }) => inputs)).toEqual([
    { create: "node dist/steps/verify-login.mjs", environment: { ROTATION_ACTIVATION: "3" }, ...common },
    {
      create: "node dist/steps/preflight.mjs",
      environment: { ROTATION_ACTIVATION: "3", ROTATION_ONCE: "1" },
      ...common,
    },
    {
      create: "node dist/steps/restart-service.mjs",
      interpreter: ["/usr/bin/env", "ROLLED_OUT=", "/bin/sh", "-c"],
      environment: { ROTATION_ACTIVATION: '["a: 3","b: 1"]' },
      ...common,
    },
  ]);
  expect(activationsIn(made[2]?.inputs ?? {})).toEqual(["a: 3", "b: 1"]);
  expect(isRolledOut({ ...made[2]?.inputs, interpreter: rolledOutInterpreter("a: 3, b: 1") })).toBe(true);
});

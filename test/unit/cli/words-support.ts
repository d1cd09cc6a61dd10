import type { EngineResult, Step } from "../../../cli/operate/engine";
import type { Outline } from "../../../cli/operate/settings";
import { stepProgram } from "../../../core/phases";

const URN = "urn:pulumi:paper::secret-rotation::secret-rotation:index:PostgresPassword$";
export const step = (name: string, type: string, op: string, more: Partial<Step> = {}): Step => ({
  op,
  type,
  name,
  urn: `${URN}${more.urn ?? ""}${type}::${name}`,
  oldInputs: more.oldInputs ?? {},
  newInputs: more.newInputs ?? {},
});
export const slot = (op: string, before: string, after: string) =>
  step("database-password-slot-a-password", "random:index/randomPassword:RandomPassword", op, {
    oldInputs: { keepers: { generation: before } },
    newInputs: { keepers: { generation: after } },
  });
export const result = (steps: Step[], more: Partial<EngineResult> = {}): EngineResult => ({
  ok: true,
  steps,
  messages: [],
  plans: [{ secret: "database/password", action: "ROTATE", from: 1, to: 2, reason: "due by age" }],
  probes: {},
  errors: [],
  failedStep: undefined,
  unfinished: [],
  interrupted: false,
  died: false,
  ...more,
});
/** A command that runs a step of ours. */
export const runs = (name: string, program: string, op: string, more: Partial<Step> = {}) =>
  step(name, "command:local:Command", op, { ...more, newInputs: { create: stepProgram(program), ...more.newInputs } });
export const outline = {
  environment: "paper",
  secrets: [{ name: "database/password" }, { name: "database/password-reader" }],
  services: { "signal-service": { hosts: ["trading-1"] } },
} as unknown as Outline;

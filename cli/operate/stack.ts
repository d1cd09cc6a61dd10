import { lastRowOfEach } from "../../audit/queries";
import type { Config } from "../../config";
import type { StackView } from "../../kinds/kind-operations";
import { rotationCommand } from "./advice";
import { type LogRow, readLog } from "./audit-log";
import { Engine } from "./engine";
import { finish } from "./finish";
import { readOutputs } from "./outputs";
import type { Project } from "./project";
import { clockOf, readConfig } from "./settings";

/** What is known of a stack before the platform is checked. */
export interface Stack extends StackView {
  readonly project: Project;
  readonly engine: Engine;
  readonly outputs: Awaited<ReturnType<typeof readOutputs>>;
  readonly deployment: Awaited<ReturnType<Engine["exportState"]>>;
}

/** Reads all of it. @throws ConfigError, UsageError */
export async function readStack(project: Project): Promise<Stack> {
  const [config, engine] = await Promise.all([readConfig(project), Engine.open(project, { reads: true })]);
  const [outputs, deployment] = await Promise.all([readOutputs(project), engine.exportState()]);
  return {
    project,
    config,
    engine,
    outputs,
    deployment,
    name: project.stack,
    resources: deployment.deployment.resources ?? [],
    now: clockOf(config),
    command: (words) => rotationCommand(project, words),
    finish: () => finish(project),
    rolledOutAt: (secret) => rolledOutAt(config, secret),
  };
}

/** The newest row of a secret; undefined if there is none. @throws AuditLogError */
export async function lastRow(config: Config, secret: string): Promise<LogRow | undefined> {
  const { environment } = config;
  const rows = await readLog(config, (client) => lastRowOfEach(client, { secretName: secret, environment }));
  return rows?.toSorted((a, b) => a.id - b.id).at(-1);
}

/** When the last rotation or rollback finished, by the server's clock; undefined if its row is not the last one. */
async function rolledOutAt(config: Config, secret: string): Promise<Date | undefined> {
  const row = await lastRow(config, secret).catch(() => undefined);
  const rolledOut = row?.status === "SUCCESS" && ["ADOPT", "ROTATE", "ROLLBACK"].includes(row.action);
  return rolledOut ? (row.recordedAt ?? undefined) : undefined;
}

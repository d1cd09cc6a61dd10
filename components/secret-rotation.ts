import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SecretConfig } from "../config";
import { rotationSeconds } from "../core/rotation-seconds";
import type { Policy } from "../rotation/policy";
import { activation, type SecretState } from "../rotation/state";
import { AuditRecord } from "./audit-record";
import { planGuard } from "./plan-guard";
import { type Platform, servicesOf } from "./platform";
import { Preflight, type PreflightArgs } from "./preflight";
import { type RollingRestart, restartServices } from "./rolling-restart";
import { answerOf } from "./step-command";

export interface SecretRotationArgs {
  /** The secret as the config declares it. */
  readonly config: SecretConfig;
  /** The state this update brings the secret to. */
  readonly state: SecretState;
  readonly policy: Policy;
  readonly platform: Platform;
}

/**
 * What the rotation of every secret begins and ends with, whatever its kind: preflight first, restarts, audit row last.
 * Everything that acts is triggered by the state's activation.
 */
export abstract class SecretRotation<A extends SecretRotationArgs> extends pulumi.ComponentResource {
  /** The secret's state, resolved once all of it is true and in the audit log. */
  abstract readonly state: pulumi.Output<SecretState>;
  /** What the stack says of the secret: strategy, paths, versions and dates, never a value. */
  abstract readonly description: pulumi.Output<Record<string, unknown>>;
  /** The audit row: what comes after this secret depends on it. */
  abstract readonly last: pulumi.Resource;

  protected readonly trigger: string;

  protected constructor(
    type: string,
    protected readonly name: string,
    protected readonly args: A,
    protected readonly opts: pulumi.ComponentResourceOptions,
  ) {
    const ignoreChanges = planGuard(args.platform.planBasis, args.state);
    super(`secret-rotation:index:${type}`, name, {}, { ...opts, ignoreChanges });
    this.trigger = activation(args.state);
  }

  protected createPreflight(checks: Omit<PreflightArgs, "secret" | "trigger" | "lasts">): local.Command {
    const { dependsOn } = this.opts;
    const { config, platform } = this.args;
    const lasts = rotationSeconds(servicesOf(config.restart, platform.services).map((service) => service.config));
    return new Preflight(
      `${this.name}-preflight`,
      { ...checks, secret: config.name, lasts, trigger: this.trigger },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    ).command;
  }

  protected createRestarts(dependsOn: pulumi.Resource): RollingRestart {
    const { config, platform } = this.args;
    return restartServices(this.name, config.restart, platform, this.trigger, { parent: this, dependsOn });
  }

  /** @param steps what they let pass and warned of stands in the row; the first is the preflight. @param more the same of others */
  protected createAudit(
    steps: readonly [local.Command, ...local.Command[]],
    dependsOn: pulumi.Resource,
    more: pulumi.Input<Record<string, unknown>> = {},
  ): AuditRecord {
    const { config, state, platform } = this.args;
    const said = (what: "overrides" | "warnings", answers: readonly Record<string, unknown>[]) =>
      answers.flatMap((answer) => (answer[what] ?? []) as string[]);
    return new AuditRecord(
      `${this.name}-audit`,
      {
        target: platform.audit,
        secret: config.name,
        state,
        startedAt: answerOf(steps[0]).apply(({ startedAt }) => String(startedAt ?? "")),
        outputs: pulumi
          .all([this.description, pulumi.all([...steps.map(answerOf), more])])
          .apply(([description, answers]) => ({
            ...description,
            overrides: said("overrides", answers),
            ...(said("warnings", answers).length === 0 ? {} : { warnings: said("warnings", answers) }),
          })),
        clock: platform.clock,
      },
      { parent: this, dependsOn },
    );
  }
}

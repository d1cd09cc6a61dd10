import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SecretConfig } from "../config";
import type { PreflightMode } from "../core/decide";
import type { Policy } from "../core/policy";
import { slugOf } from "../core/resource-names";
import { activation, type SecretState } from "../core/state";
import { AuditRecord } from "./audit-record";
import { planGuard } from "./plan-guard";
import type { Platform } from "./platform";
import { Preflight, surroundingsOf } from "./preflight";
import { type CredentialInUse, type KindAsks, preflightInput } from "./preflight-input";
import { type RollingRestart, restartServices } from "./rolling-restart";
import { answerOf } from "./step-command";

export interface SecretRotationArgs {
  /** The secret as the config declares it. */
  readonly config: SecretConfig;
  /** The state this update brings the secret to. */
  readonly state: SecretState;
  /** The target of the last activation, as the stack's state records it; undefined if it records none. */
  readonly recorded?: SecretState | undefined;
  /** Whether a request says to overwrite an external write to the store. Default false. */
  readonly force?: boolean;
  /** The activation that an earlier version of this program rolled out, by resources that this one no longer has. */
  readonly rolledOut?: string | undefined;
  readonly policy: Policy;
  readonly platform: Platform;
}

/** The results of every kind of secret. */
export interface StackSecret {
  /** Resolved once the whole chain is done, the audit row included. */
  readonly state: pulumi.Output<SecretState>;
  /** Versions, dates and paths, never a value. */
  readonly description: pulumi.Output<Record<string, unknown>>;
  /** What comes after this secret depends on it. */
  readonly last: pulumi.Resource;
}

/**
 * What the rotation of every secret begins and ends with, whatever its kind: preflight first, restarts, audit row last.
 * Everything that acts is triggered by the state's activation.
 */
export abstract class SecretRotation<A extends SecretRotationArgs>
  extends pulumi.ComponentResource
  implements StackSecret
{
  abstract readonly state: pulumi.Output<SecretState>;
  abstract readonly description: pulumi.Output<Record<string, unknown>>;
  abstract readonly last: pulumi.Resource;

  /** The kind's own part of the preflight. */
  protected abstract readonly asks: KindAsks<A["config"]>;
  protected readonly trigger: string;

  protected constructor(
    type: string,
    protected readonly name: string,
    protected readonly args: A,
    protected readonly opts: pulumi.ComponentResourceOptions,
  ) {
    const expected = slugOf(args.config.name);
    if (name !== expected) {
      // The command line finds a secret's resources by it.
      throw new pulumi.RunError(`${args.config.name}: expected the resource's name ${expected}, found ${name}`);
    }
    const ignoreChanges = planGuard(args.platform.planBasis, args.state);
    super(`secret-rotation:index:${type}`, name, {}, { ...opts, ignoreChanges });
    this.trigger = activation(args.state);
  }

  /** @param inUse the credential in use, if the stack knows it */
  protected createPreflight(inUse?: CredentialInUse<pulumi.Input<string>>): local.Command {
    const { dependsOn } = this.opts;
    const { config, state, recorded, force = false, policy, platform } = this.args;
    const decision = { state, mode: this.mode, force };
    const input = preflightInput(surroundingsOf(platform), {
      secret: config,
      asks: this.asks,
      decision,
      inUse,
      maxAge: policy.maxAge,
    });
    return new Preflight(
      `${this.name}-preflight`,
      { input, begins: { state, recorded }, target: platform.audit, clock: platform.clock },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    ).command;
  }

  /** What the preflight checks. */
  protected get mode(): PreflightMode {
    return this.asks.modeOf(this.args.state);
  }

  protected createRestarts(dependsOn: pulumi.Resource): RollingRestart {
    const { config, platform, rolledOut } = this.args;
    const { trigger } = this;
    return restartServices(this.name, config.restart, platform, { trigger, rolledOut }, { parent: this, dependsOn });
  }

  /** @param steps their exceptions and warnings go into the row; the first is the preflight. @param more further ones */
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

import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { SecretConfig } from "../config";
import type { PreflightMode } from "../core/decide";
import { type Fingerprint, type Fingerprinted, fingerprinted } from "../core/fingerprints";
import type { Policy } from "../core/policy";
import { slugOf } from "../core/resource-names";
import { activation, activeGeneration, restartsInPlace, type SecretState } from "../core/state";
import type { After } from "./after";
import { AuditRecord } from "./audit-record";
import { planGuard } from "./plan-guard";
import type { Platform } from "./platform";
import { Preflight, surroundingsOf } from "./preflight";
import { type CredentialInUse, type KindAsks, preflightInput } from "./preflight-input";
import type { BroughtIn } from "./restart-input";
import { type RollingRestart, restartServices } from "./rolling-restart";
import { rotationHook } from "./rotation-hook";
import type { SharingMember } from "./shared-restarts";
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
  /** The activation that the last finished update left; undefined before the first. */
  readonly finished?: string | undefined;
  /** Its place among secrets whose services are restarted together; undefined if its restarts are its own. */
  readonly sharing?: SharingMember | undefined;
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
  /** What another secret's preflight depends on that relies on this one's. */
  readonly preflight?: pulumi.Resource | undefined;
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
  preflight: local.Command | undefined;
  private restarts: Pick<RollingRestart, "said"> | undefined;
  private brought: BroughtIn<pulumi.Input<string>>["entries"] = [];
  /** The user's own commands that this rotation has run. */
  private readonly hooks: local.Command[] = [];

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
    const { command } = new Preflight(
      `${this.name}-preflight`,
      { input, begins: { state, recorded }, target: platform.audit, clock: platform.clock },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    );
    this.preflight = command;
    return command;
  }

  /** What the preflight checks. */
  protected get mode(): PreflightMode {
    return this.asks.modeOf(this.args.state);
  }

  /**
   * What everything that acts depends on: the preflight, and the user's own command after it. An adoption that moves nothing
   * runs none.
   */
  protected begin(preflight: local.Command, entries: BroughtIn<pulumi.Input<string>>["entries"] = []): After {
    const ready = this.args.sharing?.begin(preflight) ?? preflight;
    return this.mode === "adoption" ? ready : this.createHook("before", ready, entries);
  }

  private createHook<R extends After>(
    hook: "before" | "after",
    dependsOn: R,
    entries: BroughtIn<pulumi.Input<string>>["entries"],
  ): R | local.Command {
    const { config, platform, state, finished } = this.args;
    const own = config[hook];
    if (own === undefined) return dependsOn;
    const brought = { secret: config.name, generation: activeGeneration(state), entries };
    const args = {
      hook,
      config: own,
      platform,
      brought,
      trigger: this.trigger,
      inPlace: restartsInPlace(state),
      finished,
    };
    const command = rotationHook(this.name, args, { parent: this, dependsOn });
    this.hooks.push(command);
    return command;
  }

  /** @param credential what the restarts bring into use, as far as this stack knows it */
  protected createRestarts(
    dependsOn: pulumi.Resource,
    credential: Pick<BroughtIn<pulumi.Input<string>>, "username" | "entries"> = { entries: [] },
  ): { readonly last: After } {
    const { config, platform, rolledOut, finished, sharing, state } = this.args;
    const { trigger } = this;
    const inPlace = restartsInPlace(state);
    const brought = { secret: config.name, generation: activeGeneration(state), ...credential };
    this.brought = credential.entries;
    const restarts =
      sharing === undefined
        ? restartServices(
            this.name,
            config.restart,
            platform,
            { trigger, inPlace, rolledOut, brought },
            { parent: this, dependsOn },
          )
        : sharing.restarts({ restart: config.restart, brought, trigger, inPlace, finished, stored: dependsOn });
    this.restarts = restarts;
    return restarts;
  }

  /** The fingerprints of credentials; undefined if the config has no key for that. */
  protected fingerprintsOf(
    credentials: readonly pulumi.Input<Fingerprinted>[],
  ): pulumi.Output<readonly Fingerprint[]> | undefined {
    const { fingerprintKey: key } = this.args.platform;
    if (key === undefined) return undefined;
    return pulumi
      .all([key, pulumi.all([...credentials])])
      .apply(([key, all]) => fingerprinted(key, all as Fingerprinted[]));
  }

  /**
   * @param steps their exceptions and warnings go into the row; the first is the preflight
   * @param more further ones
   * @param prints the fingerprints that are kept with the row; undefined: none
   */
  protected createAudit(
    steps: readonly [local.Command, ...local.Command[]],
    last: After,
    more: pulumi.Input<Record<string, unknown>> = {},
    prints?: pulumi.Input<readonly Fingerprint[]>,
  ): AuditRecord {
    const { config, state, platform } = this.args;
    const dependsOn = this.mode === "adoption" ? last : this.createHook("after", last, this.brought);
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
          .all([
            this.description,
            pulumi.all([...steps.map(answerOf), more]),
            this.restarts?.said ?? [],
            pulumi.all(this.hooks.map(answerOf)),
          ])
          .apply(([description, answers, restarts, hooks]) => ({
            ...description,
            overrides: said("overrides", answers),
            ...(state.step.plan === undefined ? {} : { plan: state.step.plan }),
            ...(state.step.approvedBy === undefined ? {} : { approvedBy: state.step.approvedBy }),
            ...(said("warnings", answers).length === 0 ? {} : { warnings: said("warnings", answers) }),
            ...(restarts.length === 0 ? {} : { restarts }),
            ...(hooks.length === 0 ? {} : { hooks: hooks.flatMap(({ hook }) => hook ?? []) }),
          })),
        clock: platform.clock,
        ...(prints === undefined ? {} : { fingerprints: prints }),
      },
      { parent: this, dependsOn },
    );
  }
}

import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type BegunOutputs, isRecorded, PREFLIGHT_TYPE } from "../core/begun";
import { receiversOf } from "../core/events";
import { activation, type SecretState } from "../core/state";
import type { AuditTarget } from "./audit-record";
import type { Platform } from "./platform";
import type { preflightInput, Surroundings } from "./preflight-input";
import { stepCommand } from "./step-command";

export interface PreflightArgs {
  /** What it checks. */
  readonly input: ReturnType<typeof preflightInput<pulumi.Input<string>>>;
  readonly begins: Begins;
  /** Whose rotation it is, and who gets its events. */
  readonly target: AuditTarget;
  /** The lab's clock; undefined everywhere else. */
  readonly clock: string | undefined;
}

/** The state that an update brings a secret to, and what the stack's state already records of it. */
export interface Begins {
  readonly state: SecretState;
  /** The target of the last activation, as the stack's state records it; undefined if it records none. */
  readonly recorded: SecretState | undefined;
}

/** What the preflights of all secrets share. */
export function surroundingsOf(platform: Platform): Surroundings<pulumi.Input<string>> {
  const { secrets, store, audit, services, hosts, privateKey, marketClock, allowOpenMarket, market, notice, clock } =
    platform;
  const given = { secrets, services, hosts, privateKey, marketClock, allowOpenMarket, market, notice, clock };
  return { store: store.reference, stack: audit.stack, audit: audit.connection, ...given };
}

/** The events `started` and `failed` of an update; undefined if nobody gets them. */
function announcement({ begins: { state, recorded }, target, clock }: PreflightArgs) {
  const { stack, environment, events } = target;
  const [started, failed] = [receiversOf("started", events), receiversOf("failed", events)];
  if (started.length + failed.length === 0) return undefined;
  // Of the activation: the end of a grace period begins nothing.
  const { step } = recorded !== undefined && isRecorded(recorded, state) ? recorded : state;
  const { action, generation, reason, at } = step;
  return {
    stack,
    environment,
    action,
    generation,
    reason,
    started,
    failed,
    ...(clock === undefined ? {} : { clock: at }),
  };
}

/** Checks everything that a rotation will touch, and changes nothing. The first resource of every rotation. */
export class Preflight extends pulumi.ComponentResource {
  readonly command: local.Command;

  constructor(name: string, args: PreflightArgs, opts: pulumi.ComponentResourceOptions) {
    super(PREFLIGHT_TYPE, name, {}, opts);
    const { begins } = args;
    const event = announcement(args);
    const input = { ...args.input, ...(event === undefined ? {} : { event }) };
    this.command = stepCommand(
      `${name}-checks`,
      {
        step: "preflight",
        input,
        trigger: activation(begins.state),
        inPlace: begins.state.inPlace,
        // Its answer depends on the moment; only a new activation runs it again.
        runOnInputChange: false,
      },
      { parent: this, ...(opts.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) },
    );
    this.registerOutputs(this.begun(input.secretName, begins));
  }

  /**
   * Kept in the state as soon as the checks have passed, so that the next update finishes one that is
   * interrupted after that, whatever the config says by then. An existing record of the same activation stays as it is.
   */
  private begun(secret: string, { state, recorded }: Begins): pulumi.Inputs & Partial<BegunOutputs> {
    if (recorded !== undefined && isRecorded(recorded, state)) return { secret, state: recorded };
    // Unknown in a preview: it contains times, and a saved plan must contain none.
    const begins = this.command.id.apply(() => (pulumi.runtime.isDryRun() ? pulumi.unknown : state));
    return { secret, state: begins } as unknown as pulumi.Inputs & BegunOutputs;
  }
}

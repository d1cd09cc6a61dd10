import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type BegunOutputs, isRecorded, PREFLIGHT_TYPE } from "../core/begun";
import { activation, type SecretState } from "../core/state";
import type { Platform } from "./platform";
import type { preflightInput, Surroundings } from "./preflight-input";
import { stepCommand } from "./step-command";

export interface PreflightArgs {
  /** What it checks. */
  readonly input: ReturnType<typeof preflightInput<pulumi.Input<string>>>;
  readonly begins: Begins;
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

/** Checks everything that a rotation will touch, and changes nothing. The first resource of every rotation. */
export class Preflight extends pulumi.ComponentResource {
  readonly command: local.Command;

  constructor(name: string, args: PreflightArgs, opts: pulumi.ComponentResourceOptions) {
    super(PREFLIGHT_TYPE, name, {}, opts);
    const { input, begins } = args;
    this.command = stepCommand(
      `${name}-checks`,
      {
        step: "preflight",
        input,
        trigger: activation(begins.state),
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

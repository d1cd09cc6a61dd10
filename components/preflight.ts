import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type BegunOutputs, isRecorded, PREFLIGHT_TYPE } from "../core/begun";
import { activation, type SecretState } from "../core/state";
import type { Platform } from "./platform";
import type { preflightInput, Surroundings } from "./preflight-input";
import { stepCommand } from "./step-command";

export interface PreflightArgs {
  /** What it looks at. */
  readonly input: ReturnType<typeof preflightInput<pulumi.Input<string>>>;
  readonly begins: Begins;
}

/** What an update brings a secret to, and what the stack's state has of that already. */
export interface Begins {
  readonly state: SecretState;
  /** What the last activation was to bring about, as the stack's state has it; undefined where it has none. */
  readonly recorded: SecretState | undefined;
}

/** What surrounds the secrets, as their preflights look at it. */
export function surroundingsOf(platform: Platform): Surroundings<pulumi.Input<string>> {
  const { secrets, store, audit, services, hosts, privateKey, marketClock, allowOpenMarket, notice, clock } = platform;
  const given = { secrets, services, hosts, privateKey, marketClock, allowOpenMarket, notice, clock };
  return { store: store.reference, stack: audit.stack, audit: audit.connection, ...given };
}

/** Looks at everything a rotation will touch and touches nothing. The first resource of every rotation. */
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
        // Its answer depends on the moment; only a new activation asks again.
        runOnInputChange: false,
      },
      { parent: this, ...(opts.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) },
    );
    this.registerOutputs(this.begun(input.secretName, begins));
  }

  /**
   * Kept in the state as soon as the checks have passed, so that an update that is interrupted after that is finished by
   * the next one, whatever the config asks by then. What was recorded of the same activation stays as it is.
   */
  private begun(secret: string, { state, recorded }: Begins): pulumi.Inputs & Partial<BegunOutputs> {
    if (recorded !== undefined && isRecorded(recorded, state)) return { secret, state: recorded };
    // Unknown in a preview: there are times in it, and a saved plan must hold none.
    const begins = this.command.id.apply(() => (pulumi.runtime.isDryRun() ? pulumi.unknown : state));
    return { secret, state: begins } as unknown as pulumi.Inputs & BegunOutputs;
  }
}

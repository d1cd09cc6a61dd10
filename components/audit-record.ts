import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random";
import { type EventTarget, endOf, receiversOf } from "../core/events";
import type { Fingerprint } from "../core/fingerprints";
import type { SecretState } from "../core/state";
import { stepCommand } from "./step-command";

/** Where the rows go, the same for every secret of a stack. */
export interface AuditTarget {
  /** The database of `secret_rotation_log`, without a password. */
  readonly connection: Record<string, unknown>;
  readonly stack: string;
  readonly environment: string;
  /** Who gets events. Default: nobody. */
  readonly events?: readonly EventTarget[];
}

export interface AuditRecordArgs {
  readonly target: AuditTarget;
  readonly secret: string;
  readonly state: SecretState;
  /** When the rotation began, ISO 8601; empty if that is no longer known. */
  readonly startedAt: pulumi.Input<string>;
  /** The stack's output for the secret: versions, dates and paths, never a value. */
  readonly outputs: pulumi.Input<Record<string, unknown>>;
  /** The lab's clock; undefined everywhere else. */
  readonly clock: string | undefined;
  /** Kept beside the row, for `rotation leaked`. */
  readonly fingerprints?: pulumi.Input<readonly Fingerprint[]>;
}

/**
 * One row in `secret_rotation_log` for each step of a secret, written after everything else has succeeded. Writing the
 * same step again finds the row and writes none.
 */
export class AuditRecord extends pulumi.ComponentResource {
  /** Resolves with the secret's state once the row is there. */
  readonly state: pulumi.Output<SecretState>;
  readonly command: local.Command;

  constructor(name: string, args: AuditRecordArgs, opts: pulumi.ComponentResourceOptions) {
    super("secret-rotation:index:AuditRecord", name, {}, opts);
    const { target, secret, state } = args;
    // Drawn when the secret is adopted: an earlier life of it, in this stack or another, counted its steps from 1 too.
    const history = new RandomId(`${name}-history`, { byteLength: 8 }, { parent: this });
    const { sequence, action, generation, reason, at } = state.step;
    const step = `${sequence}-${action}-${generation}`;
    const targets = receiversOf(endOf(action), target.events);
    this.command = stepCommand(
      `${name}-row`,
      {
        step: "audit-record",
        input: {
          connection: target.connection,
          startedAt: args.startedAt,
          clock: args.clock === undefined ? null : at,
          entry: {
            secretName: secret,
            stack: target.stack,
            environment: target.environment,
            action,
            generation,
            reason,
            outputs: args.outputs,
            stepKey: pulumi.interpolate`${history.hex}/${secret}/${step}`,
          },
          ...(targets.length === 0 ? {} : { targets }),
          ...(args.fingerprints === undefined ? {} : { fingerprints: args.fingerprints }),
        },
        trigger: step,
        inPlace: state.inPlace,
      },
      { parent: this, ...(opts.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) },
    );
    // Unknown in a preview that writes a row: the state contains times, and a saved plan must contain none.
    this.state = this.command.stdout.apply(() => state);
    this.registerOutputs({});
  }
}

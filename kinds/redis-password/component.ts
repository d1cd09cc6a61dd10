import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import { answerOf, stepCommand } from "../../components/step-command";
import { other, type SecretState, type SlotIndex } from "../../core/state";
import { type Credential, OwnPassword, type OwnPasswordArgs } from "../own-password/component";
import { readersOf } from "../own-password/readers";
import { letter } from "../own-password/slot-value";
import { redisPasswordAsks } from "./asks";
import { redisLogin } from "./credentials";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";

export interface RedisPasswordArgs extends OwnPasswordArgs {
  readonly config: RedisPasswordConfig;
}

/**
 * A Redis password through one whole rotation: preflight, slot, the user's passwords, login, store, restarts, login again,
 * end of what is over, audit row. The user has the new and the previous password at once, so no login fails.
 */
export class RedisPassword extends OwnPassword<RedisPasswordArgs> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = redisPasswordAsks;
  protected readonly kind = redisLogin;

  constructor(name: string, args: RedisPasswordArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("RedisPassword", name, args, opts);
    const { config, state } = args;
    const { active } = state;

    // The slot that is not active stays as it is: the preflight proves its value, so it cannot wait for the preflight.
    const inactive = this.createSlot(other(active), this.slotOptions(opts.dependsOn));
    const previous = this.credential(other(active), inactive);
    const preflight = this.lookFirst(previous);
    const begun = this.begin(preflight, previous?.entries);
    const credential = this.activeCredential(this.createSlot(active, this.slotOptions(begun)));
    const guard = this.storeGuard(credential, previous);
    const unchanged = this.createUnchanged(guard, begun);
    const added = this.createPassword(active, credential, previous, unchanged);
    const verified = this.createLogin("verify-login", credential, { known: previous }, added);
    const stored = this.createStored(credential.entries, guard, verified);
    const restarted = this.createRestarts(stored.last, { username: config.user, entries: credential.entries });
    const before = answerOf(verified).apply((answer) => (answer.before ?? {}) as Record<string, number>);
    const confirmed = this.createLogin("confirm-login", credential, { before }, restarted.last);
    this.description = this.describe(stored, { strategy: "two-passwords", role: config.user });
    const settled = this.createPassword(other(active), previous, credential, confirmed);
    const marked = this.createMarks(this.marks(credential, confirmed), settled);
    const audit = this.createAudit(
      [preflight, verified, confirmed],
      marked,
      stored.answer,
      this.fingerprints(credential, previous),
    );

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  /**
   * A slot's password on the servers: there while it may be used. The step remembers what it has put there, so that the
   * password that was in the slot before is removed, whose value the state no longer has.
   */
  private createPassword(
    slot: SlotIndex,
    credential: Credential | undefined,
    beside: Credential | undefined,
    dependsOn: After,
  ): pulumi.Resource {
    const { config, state } = this.args;
    const generation = state.slots[slot];
    const valid = slot === state.active || !state.revoked;
    const does = slot === state.active ? "adds" : valid ? "keeps" : "removes";
    return stepCommand(
      `${this.name}-user-${letter(slot)}`,
      {
        step: "redis-user",
        about: `${does} the password of generation ${generation} of ${config.user}`,
        input: {
          redis: redisOf(config),
          ...(credential === undefined ? {} : { password: credential.password }),
          // The other slot may have the same password, if an operator went back to it by hand and had that adopted.
          keep: beside === undefined ? [] : [{ password: beside.password }],
          valid,
        },
        trigger: this.trigger,
        inPlace: IN_PLACE,
      },
      // Its answer has the password's hash.
      { parent: this, dependsOn, additionalSecretOutputs: ["stdout"] },
    );
  }

  /** A real login at every server, before the store is written and after the restarts. */
  private createLogin(
    step: "verify-login" | "confirm-login",
    { password }: Credential,
    { known, before }: { known?: Credential | undefined; before?: pulumi.Output<Record<string, number>> },
    dependsOn: After,
  ): local.Command {
    const { config } = this.args;
    return stepCommand(
      `${this.name}-${step}`,
      {
        step: "redis-login",
        input: {
          redis: redisOf(config),
          password,
          ...(before === undefined ? this.firstProof(known) : { before }),
        },
        trigger: this.trigger,
        inPlace: IN_PLACE,
        // Passwords of others, and clients that were not restarted, are shown at once.
        progress: true,
      },
      { parent: this, dependsOn },
    );
  }

  /** What the proof before the store is written checks besides the login. */
  private firstProof(known: Credential | undefined) {
    const { config, platform } = this.args;
    const { privateKey, rehearse = false } = platform;
    const places = rehearse && this.mode !== "adoption" ? readersOf(config.restart, platform) : [];
    const onHosts = places.some(({ host }) => host !== undefined);
    const key = onHosts && privateKey !== undefined ? { privateKey } : {};
    return {
      known: known === undefined ? [] : [{ password: known.password }],
      ...(places.length === 0 ? {} : { rehearsal: { places, ...key, strict: this.mode === "rotation" } }),
    };
  }
}

/** No version of this kind has replaced its steps. */
const IN_PLACE = 2;

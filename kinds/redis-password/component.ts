import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { CredentialInUse } from "../../components/preflight-input";
import { describeSecret, marksOf } from "../../components/secret-outputs";
import { shapeOutputs } from "../../components/shape-change";
import type { DeclaredEntry, Stored } from "../../components/stack-store";
import { answerOf, stepCommand } from "../../components/step-command";
import type { StoreGuard } from "../../components/store-unchanged";
import { StoredCredential, type StoredCredentialArgs } from "../../components/stored-credential";
import type { DocumentShape, KeptShape } from "../../core/document";
import type { Fingerprinted } from "../../core/fingerprints";
import { DEFAULT_RULE } from "../../core/password-rule";
import {
  activeGeneration,
  adoptedGeneration,
  EMPTY,
  keptGeneration,
  leftAdoption,
  other,
  type SecretState,
  type SlotIndex,
} from "../../core/state";
import { isDocument, writtenBefore } from "../../stores/entries";
import { slotPassword } from "../postgres-password/password-slot";
import { readersOf } from "../postgres-password/rehearsal/readers";
import { redisPasswordAsks } from "./asks";
import { adoptedEntries, documentShapes, passwordEntries } from "./entries";
import { redisOf } from "./reference";
import type { RedisPasswordConfig } from "./schema";

export interface RedisPasswordArgs extends StoredCredentialArgs {
  readonly config: RedisPasswordConfig;
  /** The password in use before this stack, generation 0. Without it, it is neither rolled back to nor removed. */
  readonly adopted: pulumi.Output<string> | undefined;
  /** The shape of the document as the last finished update left it; undefined if there was none. */
  readonly kept?: KeptShape | undefined;
}

/** A password with its places in the store. */
interface Credential {
  readonly password: pulumi.Output<string>;
  /** Its entries in the store: of a document in the shape of the config. */
  readonly entries: readonly DeclaredEntry[];
  /** The same, and each document as an earlier config of this stack left it. */
  readonly known: readonly DeclaredEntry[];
}

/**
 * A Redis password through one whole rotation: preflight, slot, the user's passwords, login, store, restarts, login again,
 * end of what is over, audit row. The user has the new and the previous password at once, so no login fails.
 */
export class RedisPassword extends StoredCredential<RedisPasswordArgs> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = redisPasswordAsks;

  constructor(name: string, args: RedisPasswordArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("RedisPassword", name, args, opts);
    const { config, state } = args;
    const { active } = state;

    // The slot that is not active stays as it is: the preflight proves its value, so it cannot wait for the preflight.
    const inactive = this.createSlot(other(active), opts.dependsOn);
    const previous = this.credential(other(active), inactive);
    const preflight = this.lookFirst(previous);
    const begun = this.begin(preflight, previous?.entries);
    const credential = this.credential(active, this.createSlot(active, begun));
    if (credential === undefined) throw new Error(unknownValue(config.name, activeGeneration(state)));
    const guard = this.storeGuard(credential, previous);
    const unchanged = this.createUnchanged(guard, begun);
    const added = this.createPassword(active, credential, previous, unchanged);
    const verified = this.createLogin("verify-login", credential, { known: previous }, added);
    const stored = this.createStored(credential.entries, guard, verified);
    const restarted = this.createRestarts(stored.last, { username: config.user, entries: credential.entries });
    const before = answerOf(verified).apply((answer) => (answer.before ?? {}) as Record<string, number>);
    const confirmed = this.createLogin("confirm-login", credential, { before }, restarted.last);
    this.description = this.describe(stored);
    const settled = this.createPassword(other(active), previous, credential, confirmed);
    const says = confirmed.stdout.apply(() => marksOf(state, args.policy));
    const marks = credential.entries.map(({ path }) => ({ path, says }));
    const marked = this.createMarks(marks, settled);
    const fingerprints = [
      this.fingerprinted(active, credential),
      ...(previous === undefined ? [] : [this.fingerprinted(other(active), previous)]),
    ];
    const audit = this.createAudit(
      [preflight, unchanged, verified, confirmed],
      marked,
      stored.answer,
      this.fingerprintsOf(fingerprints),
    );

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  private fingerprinted(slot: SlotIndex, { password }: Credential): pulumi.Output<Fingerprinted> {
    const { config, state } = this.args;
    const generation = state.slots[slot];
    return password.apply((value) => ({ generation, part: "password", username: config.user, value }));
  }

  private get shapes(): readonly DocumentShape[] {
    return documentShapes(this.args.config, this.args.kept);
  }

  private createSlot(slot: SlotIndex, dependsOn: After | undefined): pulumi.Output<string> {
    const { config, state, adopted } = this.args;
    const generation = state.slots[slot];
    const rule = state.rules?.[slot] ?? DEFAULT_RULE;
    const made = slotPassword(`${this.name}-slot-${letter(slot)}`, keptGeneration(state, slot), rule, {
      parent: this,
      ...(dependsOn === undefined ? {} : { dependsOn }),
    });
    // A value from an external write that this stack adopted.
    if (generation <= 0 || generation !== adoptedGeneration(state)) return made;
    if (adopted === undefined) throw new Error(unknownValue(config.name, generation));
    return adopted;
  }

  /** The password of a slot's generation; undefined if it is not known. */
  private credential(slot: SlotIndex, made: pulumi.Output<string>): Credential | undefined {
    const { config, state, adopted } = this.args;
    const generation = state.slots[slot];
    const password = generation === 0 ? adopted : made;
    if (generation === EMPTY || password === undefined) return undefined;
    const entries = (shapes: readonly DocumentShape[]) => passwordEntries(config, shapes, { password, apply });
    return { password, entries: entries(this.shapes.slice(0, 1)), known: entries(this.shapes) };
  }

  /** What may be overwritten: the passwords that this stack knows. */
  private storeGuard({ known }: Credential, previous: Credential | undefined): StoreGuard {
    const { config, state, platform } = this.args;
    const generation = previous === undefined ? undefined : state.slots[other(state.active)];
    // What an adoption left in the store and a rollback has abandoned is no external write.
    const left = leftAdoption(state) === undefined ? [] : this.adoptedEntries;
    return {
      known: [...(previous?.known ?? []), ...known, ...(this.adoptedNow()?.entries ?? []).filter(isDocument), ...left],
      whenForeign: this.asks.whenForeign(config, { mode: this.mode, state, stack: platform.audit.stack }, generation),
    };
  }

  private lookFirst(previous: Credential | undefined): local.Command {
    const { config, state, kept } = this.args;
    const generation = state.slots[other(state.active)];
    const inUse = previous && {
      generation,
      username: config.user,
      password: previous.password,
      entries: writtenBefore(previous.known, config, kept),
    };
    return this.createPreflight(this.adoptedNow() ?? inUse);
  }

  /** The store's entries of the config's `adopted`, if it is an external write. */
  private get adoptedEntries(): readonly DeclaredEntry[] {
    const { config, adopted } = this.args;
    return adopted === undefined ? [] : adoptedEntries(config, this.shapes, { password: adopted, apply });
  }

  /** The credential in use, if this stack adopts a value from an external write. */
  private adoptedNow(): CredentialInUse<pulumi.Output<string>> | undefined {
    const { config, state, adopted } = this.args;
    const generation = activeGeneration(state);
    if (generation === 0 || generation !== adoptedGeneration(state) || adopted === undefined) return undefined;
    const entries = adoptedEntries(config, this.shapes, { password: adopted, apply });
    return { generation, username: config.user, password: adopted, entries };
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

  private describe(stored: Stored): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform } = this.args;
    return describeSecret({
      kind: config.kind,
      strategy: "two-passwords",
      role: config.user,
      store: platform.store.kind,
      state,
      policy,
      written: stored.answer,
      ...shapeOutputs(config, this.shapes),
    });
  }
}

/** No version of this kind has replaced its steps. */
const IN_PLACE = 2;

const letter = (slot: SlotIndex) => (slot === 0 ? "a" : "b");

const apply = (password: pulumi.Output<string>, text: (plain: string) => string) => password.apply(text);

const unknownValue = (secret: string, generation: number) =>
  `${secret}: the value of generation ${generation} is not known; set it again with ` +
  `\`pulumi config set --secret --path 'adopted["${secret}"]'\``;

import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { CredentialInUse } from "../../components/preflight-input";
import { describeSecret, marksOf } from "../../components/secret-outputs";
import { shapeOutputs } from "../../components/shape-change";
import type { DeclaredEntry, Marks, Stored } from "../../components/stack-store";
import type { StoreGuard } from "../../components/store-unchanged";
import { StoredCredential, type StoredCredentialArgs } from "../../components/stored-credential";
import type { DocumentShape, KeptShape } from "../../core/document";
import type { DocumentConfig } from "../../core/document-settings";
import type { Fingerprint, Fingerprinted } from "../../core/fingerprints";
import { DEFAULT_RULE } from "../../core/password-rule";
import {
  activeGeneration,
  adoptedGeneration,
  EMPTY,
  keptGeneration,
  leftAdoption,
  other,
  type SlotIndex,
} from "../../core/state";
import { isDocument, writtenBefore } from "../../stores/entries";
import { documentShapes } from "./entries";
import { adoptedEntries, entriesOf, type OwnKind } from "./own-kind";
import { slotPassword } from "./slot-password";
import { slotName } from "./slot-value";

export interface OwnPasswordArgs extends StoredCredentialArgs {
  readonly config: StoredCredentialArgs["config"] & DocumentConfig;
  /** The password in use before this stack, generation 0. Without it the first rotation cannot be rolled back. */
  readonly adopted: pulumi.Output<string> | undefined;
  /** The shape of the document as the last finished update left it; undefined if there was none. */
  readonly kept?: KeptShape | undefined;
}

/** A service's login. */
export interface Credential {
  readonly username: string;
  readonly password: pulumi.Output<string>;
  /** Its entries in the store: of a document in the shape of the config. */
  readonly entries: readonly DeclaredEntry[];
  /** The same, and each document as an earlier config of this stack left it. */
  readonly known: readonly DeclaredEntry[];
}

/** What the kinds share whose passwords this stack makes, in two slots. */
export abstract class OwnPassword<A extends OwnPasswordArgs> extends StoredCredential<A> {
  /** What differs between them. */
  protected abstract readonly kind: OwnKind<A["config"]>;

  protected get shapes(): readonly DocumentShape[] {
    return documentShapes(this.args.config, this.kind.document(this.args.config), this.args.kept);
  }

  protected slotName(slot: SlotIndex): string {
    return slotName(this.name, slot);
  }

  /** A slot's password; its resource is declared also if another value was adopted. */
  protected createSlot(slot: SlotIndex, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
    const { state, adopted, config } = this.args;
    const generation = state.slots[slot];
    const rule = state.rules?.[slot] ?? DEFAULT_RULE;
    const made = slotPassword(this.slotName(slot), keptGeneration(state, slot), rule, opts);
    // A value from an external write that this stack adopted; generation 0 is the login of the platform as it was.
    if (generation <= 0 || generation !== adoptedGeneration(state)) return made;
    if (adopted === undefined) throw new Error(unknownValue(config.name, generation));
    return adopted;
  }

  /** How a slot's resources are declared: the one to fill waits for what is before it. */
  protected slotOptions(dependsOn: After | undefined): pulumi.CustomResourceOptions {
    return { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) };
  }

  /** The login of a slot's generation; undefined if its password is not known. */
  protected credential(slot: SlotIndex, made: pulumi.Output<string>): Credential | undefined {
    const { config, state, adopted } = this.args;
    const generation = state.slots[slot];
    const password = generation === 0 ? adopted : made;
    if (generation === EMPTY || password === undefined) return undefined;
    const username = this.kind.userOf(config, state, slot);
    const login = { username, password, apply };
    const entries = (shapes: readonly DocumentShape[]) => entriesOf(this.kind, config, shapes, login, true);
    return { username, password, entries: entries(this.shapes.slice(0, 1)), known: entries(this.shapes) };
  }

  /** The active slot's login. @throws Error if its password is not known */
  protected activeCredential(made: pulumi.Output<string>): Credential {
    const { config, state } = this.args;
    const credential = this.credential(state.active, made);
    if (credential === undefined) throw new Error(unknownValue(config.name, activeGeneration(state)));
    return credential;
  }

  /** The login with the config's `adopted`, if it is an external write. */
  private get adoptedLogin(): CredentialInUse<pulumi.Output<string>> | undefined {
    const { config, state, adopted: password } = this.args;
    if (password === undefined) return undefined;
    const username = this.kind.userOf(config, state, state.active);
    const entries = adoptedEntries(this.kind, config, this.shapes, { username, password, apply });
    return { generation: activeGeneration(state), username, password, entries };
  }

  /** The credential in use, if this stack adopts a value from an external write. */
  private adoptedNow(): CredentialInUse<pulumi.Output<string>> | undefined {
    const generation = activeGeneration(this.args.state);
    return generation === 0 || generation !== adoptedGeneration(this.args.state) ? undefined : this.adoptedLogin;
  }

  /** The store's entries of the previous credential. */
  protected storedBefore(previous: Credential | undefined): readonly DeclaredEntry[] {
    return previous?.known ?? [];
  }

  /** What may be overwritten: the passwords that this stack knows. @param more entries that are never a secret */
  protected storeGuard(
    { known }: Credential,
    previous: Credential | undefined,
    more: readonly DeclaredEntry[] = [],
  ): StoreGuard {
    const { state } = this.args;
    const all = [...this.storedBefore(previous), ...known, ...(this.adoptedNow()?.entries ?? []).filter(isDocument)];
    const secrets = all.filter((entry) => isDocument(entry) || entry.public !== true);
    // What an adoption left in the store and a rollback has abandoned is no external write.
    const left = leftAdoption(state) === undefined ? [] : (this.adoptedLogin?.entries ?? []);
    const generation = previous === undefined ? undefined : state.slots[other(state.active)];
    return { known: [...secrets, ...left, ...more], whenForeign: this.whenForeign(generation) };
  }

  private whenForeign(inUse: number | undefined): string {
    const { config, state, platform } = this.args;
    return this.asks.whenForeign(config, { mode: this.mode, state, stack: platform.audit.stack }, inUse);
  }

  protected lookFirst(previous: Credential | undefined): local.Command {
    const { state, config, kept } = this.args;
    const inUse = previous && {
      generation: state.slots[other(state.active)],
      username: previous.username,
      password: previous.password,
      entries: writtenBefore(this.storedBefore(previous), config, kept),
    };
    return this.createPreflight(this.adoptedNow() ?? inUse);
  }

  protected fingerprints(
    active: Credential,
    previous: Credential | undefined,
  ): pulumi.Output<readonly Fingerprint[]> | undefined {
    const { state } = this.args;
    const of = (slot: SlotIndex, { username, password }: Credential): pulumi.Output<Fingerprinted> =>
      password.apply((value) => ({ generation: state.slots[slot], part: "password", username, value }));
    return this.fingerprintsOf([
      of(state.active, active),
      ...(previous === undefined ? [] : [of(other(state.active), previous)]),
    ]);
  }

  /** @param confirmed once the login is confirmed: a saved plan must not contain the time at which it was made */
  protected marks({ entries }: Credential, confirmed: local.Command): Marks {
    const { state, policy } = this.args;
    const says = confirmed.stdout.apply(() => marksOf(state, policy));
    return entries.map(({ path }) => ({ path, says }));
  }

  protected describe(
    stored: Stored,
    about: { readonly strategy: string; readonly role: string },
  ): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform } = this.args;
    const store = platform.store.kind;
    const shape = shapeOutputs(config, this.shapes);
    return describeSecret({ kind: config.kind, ...about, store, state, policy, written: stored.answer, ...shape });
  }
}

const apply = (password: pulumi.Output<string>, text: (plain: string) => string) => password.apply(text);

const unknownValue = (secret: string, generation: number) =>
  `${secret}: the value of generation ${generation} is not known; set it again with ` +
  `\`pulumi config set --secret --path 'adopted["${secret}"]'\``;

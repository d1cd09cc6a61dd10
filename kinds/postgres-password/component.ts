import type { local } from "@pulumi/command";
import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { CredentialInUse } from "../../components/preflight-input";
import { describeSecret, marksOf } from "../../components/secret-outputs";
import { shapeOutputs } from "../../components/shape-change";
import type { DeclaredEntry, Marks, Stored } from "../../components/stack-store";
import { answerOf } from "../../components/step-command";
import type { StoreGuard } from "../../components/store-unchanged";
import { StoredCredential, type StoredCredentialArgs } from "../../components/stored-credential";
import type { PostgresPasswordConfig } from "../../config";
import { referenceOf } from "../../config";
import type { DocumentShape, KeptShape } from "../../core/document";
import type { Fingerprinted } from "../../core/fingerprints";
import { DEFAULT_RULE } from "../../core/password-rule";
import { hostInUrl } from "../../core/schema-parts";
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
import type { StoreEntry } from "../../stores/store";
import { postgresPasswordAsks } from "./asks";
import { adoptedEntries, documentShapes, loginEntries } from "./entries";
import { alternatingUsers, type LoginRoles, singleUser } from "./login-roles";
import { type LoginOwner, loginStep } from "./login-step";
import { type PasswordSlot, passwordSlot } from "./password-slot";
import { changeLists, type PoolerOwner, reconnectPoolers } from "./paths/pooler-steps";
import { activeUsername, endedLogins, ownUsernames } from "./roles";
import { usernamePathOf } from "./schema";

export interface PostgresPasswordArgs extends StoredCredentialArgs {
  readonly config: PostgresPasswordConfig;
  /** Whether this update does a step of the secret. If not, a login role keeps what it has. */
  readonly acts: boolean;
  /** The password in use before this stack, generation 0. Without it the first rotation cannot be rolled back. */
  readonly adopted: pulumi.Output<string> | undefined;
  /** The shape of the document as the last finished update left it; undefined if there was none. */
  readonly kept?: KeptShape | undefined;
  /** Login roles of the secret that exist although the stack does not know them: they are adopted. */
  readonly left: readonly string[];
}

/** A service's login. */
interface Credential {
  readonly username: string;
  readonly password: pulumi.Output<string>;
  /** Its entries in the store: of a document in the shape of the config. */
  readonly entries: readonly DeclaredEntry[];
  /** The same, and each document as an earlier config of this stack left it. */
  readonly known: readonly DeclaredEntry[];
}

/**
 * A PostgreSQL password through one whole rotation: preflight, slot, role, login, store, restarts, login again, audit
 * row. Each part waits for the previous one, and everything that acts is triggered by the state's activation.
 */
export class PostgresPassword extends StoredCredential<PostgresPasswordArgs> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = postgresPasswordAsks;

  constructor(name: string, args: PostgresPasswordArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("PostgresPassword", name, args, opts);
    const { config, state } = args;
    const { active } = state;

    // The slot that is not active stays as it is: the preflight proves its value, so it cannot wait for the preflight.
    const inactive = this.createSlot(other(active), opts.dependsOn);
    const previous = this.credential(other(active), inactive);
    const preflight = this.lookFirst(previous);
    const begun = this.begin(preflight, previous?.entries);
    const slot = this.createSlot(active, begun);
    const credential = this.credential(active, slot);
    if (credential === undefined) throw new Error(unknownValue(config.name, activeGeneration(state)));
    const roles = this.createRoles(active === 0 ? [slot, inactive] : [inactive, slot]);
    const guard = this.storeGuard(credential, previous);
    const unchanged = this.createUnchanged(guard, begun);
    const old = this.oldLogin(credential, previous);
    const listed = this.createListed(credential, slot, roles.ready(unchanged));
    const login = { username: credential.username, password: credential.password, oldLogin: old, slot };
    const verified = loginStep(this.loginOwner, "verify-login", { ...login, previous }, listed);
    const stored = this.createStored(credential.entries, guard, verified);
    const restarted = this.createRestarts(stored.last, credential);
    const oldSessions = answerOf(verified).apply((answer) => (answer.oldSessions ?? []) as number[]);
    const renewed = reconnectPoolers(this.poolerOwner, restarted.last);
    const confirmed = loginStep(this.loginOwner, "confirm-login", { ...login, oldSessions }, renewed);
    this.description = this.describe(stored);
    const settled = this.createUnlisted(roles.settle(confirmed));
    const marked = this.createMarks(this.marks(credential, confirmed), settled);
    const known = [
      this.fingerprinted(active, credential),
      ...(previous === undefined ? [] : [this.fingerprinted(other(active), previous)]),
    ];
    const audit = this.createAudit(
      [preflight, unchanged, verified, confirmed],
      marked,
      stored.answer,
      this.fingerprintsOf(known),
    );

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  private fingerprinted(slot: SlotIndex, { username, password }: Credential): pulumi.Output<Fingerprinted> {
    const generation = this.args.state.slots[slot];
    return password.apply((value) => ({ generation, part: "password", username, value }));
  }

  private get alternating(): boolean {
    return this.args.config.strategy === "alternating-users";
  }

  private get shapes(): readonly DocumentShape[] {
    return documentShapes(this.args.config, this.args.kept);
  }

  private createSlot(slot: SlotIndex, dependsOn: After | undefined): PasswordSlot {
    const { state, adopted } = this.args;
    const generation = state.slots[slot];
    const rule = state.rules?.[slot] ?? DEFAULT_RULE;
    const name = `${this.name}-slot-${slot === 0 ? "a" : "b"}`;
    const opts = { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) };
    const { stack } = this.args.platform.audit;
    const made = passwordSlot(name, keptGeneration(state, slot), rule, { stack, from: state.derivesSalts }, opts);
    // A value from an external write that this stack adopted; generation 0 is a login of its own.
    if (generation <= 0 || generation !== adoptedGeneration(state)) return made;
    if (adopted === undefined) throw new Error(unknownValue(this.args.config.name, generation));
    return { ...made, password: adopted };
  }

  /** The login of a slot's generation; undefined if its password is not known. */
  private credential(slot: SlotIndex, { password }: PasswordSlot): Credential | undefined {
    const { config, state, adopted } = this.args;
    const generation = state.slots[slot];
    if (generation === EMPTY || (generation === 0 && adopted === undefined)) return undefined;
    const value = generation === 0 && adopted !== undefined ? adopted : password;
    const username = activeUsername(config.strategy, config.role, { ...state, active: slot });
    const login = { username, password: value, named: true, apply };
    const entries = (shapes: readonly DocumentShape[]) => loginEntries(config, shapes, login);
    return { username, password: value, entries: entries(this.shapes.slice(0, 1)), known: entries(this.shapes) };
  }

  /** The store's entries of the config's `adopted`, if it is an external write. */
  private get adoptedEntries(): readonly StoreEntry<pulumi.Output<string>>[] {
    const { config, state, adopted } = this.args;
    if (adopted === undefined) return [];
    const username = activeUsername(config.strategy, config.role, state);
    return adoptedEntries(config, this.shapes, { username, password: adopted, named: false, apply });
  }

  /** The store's entries of the previous credential: on an adopted platform the password alone. */
  private storedBefore(previous: Credential | undefined): readonly DeclaredEntry[] {
    const { config, state } = this.args;
    const adopted = state.slots[other(state.active)] === 0;
    return (previous?.known ?? []).filter(
      (entry) => !adopted || isDocument(entry) || entry.path !== usernamePathOf(config),
    );
  }

  /** What an adoption left in the store and a rollback has abandoned. */
  private get leftBehind(): readonly DeclaredEntry[] {
    return leftAdoption(this.args.state) === undefined ? [] : this.adoptedEntries;
  }

  /** What may be overwritten: the passwords that this stack knows, and its own user names. */
  private storeGuard({ known }: Credential, previous: Credential | undefined): StoreGuard {
    const { config, state, platform } = this.args;
    const all = [...this.storedBefore(previous), ...known, ...(this.adoptedNow()?.entries ?? []).filter(isDocument)];
    const secrets = all.filter((entry) => isDocument(entry) || entry.public !== true);
    const generation = previous === undefined ? undefined : state.slots[other(state.active)];
    return {
      known: [...secrets, ...this.leftBehind, ...ownUsernames(config)],
      whenForeign: this.asks.whenForeign(config, { mode: this.mode, state, stack: platform.audit.stack }, generation),
    };
  }

  private lookFirst(previous: Credential | undefined): local.Command {
    const { state } = this.args;
    const generation = state.slots[other(state.active)];
    const entries = writtenBefore(this.storedBefore(previous), this.args.config, this.args.kept);
    const inUse = previous && { ...previous, generation, entries };
    return this.createPreflight(this.adoptedNow() ?? inUse);
  }

  /** The credential in use, if this stack adopts a value from an external write. */
  private adoptedNow(): CredentialInUse<pulumi.Output<string>> | undefined {
    const { config, state, adopted } = this.args;
    const generation = activeGeneration(state);
    if (generation === 0 || generation !== adoptedGeneration(state) || adopted === undefined) return undefined;
    const username = activeUsername(config.strategy, config.role, state);
    return { generation, username, password: adopted, entries: this.adoptedEntries };
  }

  private createRoles(slots: readonly [PasswordSlot, PasswordSlot]): LoginRoles {
    const { config, state, acts, adopted, left } = this.args;
    const { role, passwordAs = "scram" } = config;
    const args = { database: referenceOf(config.database), role, passwordAs, state, acts, slots };
    if (!this.alternating) return singleUser(this.name, { ...args, adopted }, { parent: this });
    const { host, port, name, admin, sslmode, sslrootcert, sslcert, sslkey } = config.database;
    const provider = new postgresql.Provider(
      `${this.name}-server`,
      // The password stays in the environment of the run (PGPASSWORD, PGPASSFILE): here it would be in the state.
      {
        // The plugin makes a URL of it.
        host: hostInUrl(host),
        port,
        database: name,
        sslmode,
        superuser: false,
        connectTimeout: 15,
        ...(admin === undefined ? {} : { username: admin }),
        ...(sslrootcert === undefined ? {} : { sslrootcert }),
        ...(sslcert === undefined || sslkey === undefined ? {} : { clientcert: { cert: sslcert, key: sslkey } }),
      },
      { parent: this },
    );
    return alternatingUsers(this.name, { ...args, left, provider }, { parent: this });
  }

  /** PgBouncer's user lists get the active credential, before a service logs in with it. */
  private createListed(
    { username, password }: Credential,
    { salt }: PasswordSlot,
    dependsOn: pulumi.Resource,
  ): pulumi.Resource {
    const generation = activeGeneration(this.args.state);
    const adopted = generation === 0 || generation === adoptedGeneration(this.args.state);
    const login = { username, password, salt, adopted };
    return changeLists(this.poolerOwner, "pooler-users", { login, remove: [] }, dependsOn);
  }

  /** Then they lose the logins that may not log in any more. */
  private createUnlisted(dependsOn: pulumi.Resource): pulumi.Resource {
    const { config, state } = this.args;
    const remove = endedLogins(config.strategy, config.role, state);
    return changeLists(this.poolerOwner, "pooler-users-settle", { remove }, dependsOn);
  }

  private get poolerOwner(): PoolerOwner {
    const { config, platform } = this.args;
    return { name: this.name, parent: this, config, platform, trigger: this.trigger, inPlace: this.args.state.inPlace };
  }

  /** The services' previous login, if it is another one that stays valid for now. */
  private oldLogin({ username }: Credential, previous: Credential | undefined): string | undefined {
    const { state } = this.args;
    if (previous === undefined || previous.username === username || state.emergency) return undefined;
    return previous.username;
  }

  private get loginOwner(): LoginOwner {
    const { name, mode, trigger } = this;
    const { config, state, platform } = this.args;
    return { name, parent: this, config, state, platform, mode, trigger };
  }

  private marks({ entries }: Credential, confirmed: local.Command): Marks {
    const { state, policy } = this.args;
    // Known only once the login is confirmed: a saved plan must not contain the time at which it was made.
    const says = confirmed.stdout.apply(() => marksOf(state, policy));
    return entries.map(({ path }) => ({ path, says }));
  }

  private describe(stored: Stored): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform } = this.args;
    const { kind, strategy, role } = config;
    return describeSecret({
      kind,
      strategy,
      role,
      store: platform.store.kind,
      state,
      policy,
      written: stored.answer,
      ...shapeOutputs(config, this.shapes),
    });
  }
}

const apply = (password: pulumi.Output<string>, text: (plain: string) => string) => password.apply(text);

const unknownValue = (secret: string, generation: number) =>
  `${secret}: the value of generation ${generation} is not known; set it again with ` +
  `\`pulumi config set --secret --path 'adopted["${secret}"]'\``;

import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { DeclaredEntry } from "../../components/stack-store";
import { answerOf } from "../../components/step-command";
import type { PostgresPasswordConfig } from "../../config";
import { referenceOf } from "../../config";
import { hostInUrl } from "../../core/schema-parts";
import {
  activeGeneration,
  adoptedGeneration,
  keptGeneration,
  other,
  type SecretState,
  type SlotIndex,
} from "../../core/state";
import { isDocument } from "../../stores/entries";
import { type Credential, OwnPassword, type OwnPasswordArgs } from "../own-password/component";
import { postgresPasswordAsks } from "./asks";
import { postgresLogin } from "./credentials";
import { alternatingUsers, type LoginRoles, singleUser } from "./login-roles";
import { type LoginOwner, loginStep } from "./login-step";
import { changeLists, type PoolerOwner, reconnectPoolers } from "./paths/pooler-steps";
import { endedLogins, ownUsernames } from "./roles";
import { usernamePathOf } from "./schema";
import { type PasswordSlot, slotSalt } from "./slot-salt";

export interface PostgresPasswordArgs extends OwnPasswordArgs {
  readonly config: PostgresPasswordConfig;
  /** Whether this update does a step of the secret. If not, a login role keeps what it has. */
  readonly acts: boolean;
  /** Login roles of the secret that exist although the stack does not know them: they are adopted. */
  readonly left: readonly string[];
}

/**
 * A PostgreSQL password through one whole rotation: preflight, slot, role, login, store, restarts, login again, audit
 * row. Each part waits for the previous one, and everything that acts is triggered by the state's activation.
 */
export class PostgresPassword extends OwnPassword<PostgresPasswordArgs> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = postgresPasswordAsks;
  protected readonly kind = postgresLogin;

  constructor(name: string, args: PostgresPasswordArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("PostgresPassword", name, args, opts);
    const { config, state } = args;
    const { active } = state;

    // The slot that is not active stays as it is: the preflight proves its value, so it cannot wait for the preflight.
    const inactive = this.fillSlot(other(active), opts.dependsOn);
    const previous = this.credential(other(active), inactive.password);
    const preflight = this.lookFirst(previous);
    const begun = this.begin(preflight, previous?.entries);
    const slot = this.fillSlot(active, begun);
    const credential = this.activeCredential(slot.password);
    const roles = this.createRoles(active === 0 ? [slot, inactive] : [inactive, slot]);
    const guard = this.storeGuard(credential, previous, ownUsernames(config));
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
    this.description = this.describe(stored, config);
    const settled = this.createUnlisted(roles.settle(confirmed));
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

  private get alternating(): boolean {
    return this.args.config.strategy === "alternating-users";
  }

  private fillSlot(slot: SlotIndex, dependsOn: After | undefined): PasswordSlot {
    const { state, platform } = this.args;
    const opts = this.slotOptions(dependsOn);
    const password = this.createSlot(slot, opts);
    const salts = { stack: platform.audit.stack, from: state.derivesSalts };
    return { password, salt: slotSalt(this.slotName(slot), keptGeneration(state, slot), salts, opts) };
  }

  /** The store's entries of the previous credential: on an adopted platform the password alone. */
  protected override storedBefore(previous: Credential | undefined): readonly DeclaredEntry[] {
    const { config, state } = this.args;
    const adopted = state.slots[other(state.active)] === 0;
    return (previous?.known ?? []).filter(
      (entry) => !adopted || isDocument(entry) || entry.path !== usernamePathOf(config),
    );
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
}

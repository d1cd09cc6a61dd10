import type { CredentialInUse } from "../components/preflight-input";
import type { Unseen } from "../components/seen";
import type { Config, SecretConfig } from "../config";
import type { StateResource } from "../core/begun";
import type { Decision } from "../core/decide";
import type { Watch } from "../core/disuse";
import type { KeptShape } from "../core/document";
import type { Fingerprinted } from "../core/fingerprints";
import type { PhaseTable } from "../core/phases";
import type { Policy } from "../core/policy";
import type { RehearsalRow } from "../core/rehearsal";
import type { SecretState } from "../core/state";
import type { StoreEntry } from "../stores/store";

/** A stack as it is known before anything outside of it is queried. */
export interface KnownStack {
  readonly config: Config;
  /** The resources of the stack's state, its secrets decrypted. */
  readonly resources: readonly NamedResource[];
}

/** A resource of the stack's state that is found by its name. */
export interface NamedResource extends StateResource {
  readonly urn: string;
}

/** The shape of a secret's document as the stack's outputs have it; undefined if it has none. */
export function shapeKept(resources: readonly NamedResource[], secret: string): KeptShape | undefined {
  const secrets = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs?.secrets;
  return (secrets as Readonly<Record<string, { readonly shape?: KeptShape }>> | undefined)?.[secret]?.shape;
}

/** What a kind uses to check a stack and to propose fixes. */
export interface StackView extends KnownStack {
  /** The stack's name, for commands in messages. */
  readonly name: string;
  readonly now: Date;
  /** A command of `rotation` for this stack, to be copied as it is. */
  readonly command: (words: string) => string;
  /** Does what `rotation run` does; what was done, in words. */
  readonly finish: () => Promise<string>;
  /** When a secret was last rolled out, by the audit log's clock; undefined if its last row does not say. */
  readonly rolledOutAt: (secret: string) => Promise<Date | undefined>;
}

/** A problem that was found. */
export interface Finding {
  /** The secret; null for the stack as a whole. */
  readonly secret: string | null;
  /** The affected service, if this explains why it is not healthy. */
  readonly service?: string;
  readonly cause: string;
  readonly evidence: string;
  /** The exact command that fixes it. */
  readonly command: string;
  /** A note on the command. */
  readonly hint?: string;
  /** Does what the command does, and returns what was done; undefined if only a person can. */
  readonly fix?: () => Promise<string>;
}

/** A finding on a secret that its caller knows. */
export type Found = Omit<Finding, "secret">;

/** One secret's findings, all made the same way. */
export type About = (found: Found) => Finding;

/** A point of the validation checklist. */
export interface Check {
  readonly point: string;
  /** The evidence, or undefined for a point without the config to check it. Throws what is wrong. */
  readonly look: () => Promise<string | undefined>;
}

/** A credential that the stack knows, tried. */
export interface LoginSeen {
  readonly generation: number;
  /** The role, or the label of a key pair. */
  readonly name: string;
  /** What accepts it: `database`, or the name of an external service. */
  readonly of: string;
  /** Set if the operator supplied it: that it works does not show what an update has changed. */
  readonly supplied?: true;
  readonly answer: "works" | "refused" | Unseen;
}

/** A credential that the stack knows. */
export interface Known {
  readonly generation: number;
  /** The login's user name, if it is one that this stack makes. */
  readonly username?: string;
  /** Its entries in the store. */
  readonly entries: readonly StoreEntry[];
  /** Whether it works. Never throws. */
  readonly tried: () => Promise<LoginSeen>;
}

/** A credential that was found in a JSON document of others. */
export interface Recognised {
  readonly value: string;
  /** The keys of the secret in the config that say so. */
  readonly config: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /** Keys that contain the value in a way that no template writes. */
  readonly unclear: readonly string[];
}

/** How a value in the store that this stack did not write is adopted. */
export interface Adoption<Secret> {
  /** Finds the value in a JSON document, and the shape of the document. */
  recognise(secret: Secret, document: string): Recognised | undefined;
  /** Whether this stack itself made a stored value, in one of these states. */
  isOurs(stack: KnownStack, secret: Secret, states: readonly SecretState[], value: string): boolean;
  /** Proves that the value is the credential in use. Returns the login that was tried, and why it failed if it did. */
  prove(secret: Secret, state: SecretState | undefined, value: string): Promise<Proof>;
}

export interface Proof {
  readonly user: string;
  /** Undefined if it works. */
  readonly failure: string | undefined;
}

/** What was found of a credential that leaked: its login, and its values by their parts. */
export interface LeakedParts {
  readonly username: string | null;
  readonly parts: Readonly<Record<string, string>>;
}

/** A login that was found by its name. */
export interface NamedLogin {
  readonly username: string;
  /** What may be its password: keep them in memory. */
  readonly passwords: readonly string[];
}

/** Whether a credential that leaked was accepted just now. */
export interface LeakTried {
  readonly answer: "works" | "refused" | "unknown";
  readonly evidence: string;
}

/** The sessions of a login, after those of a leaked credential were ended. */
export interface EndedSessions {
  readonly ended: number;
  readonly left: number;
}

/** How the operator supplies new values of a kind whose values this pipeline cannot make. */
export interface Supply {
  /** The `rotation` command that takes a new value of a secret, without the stack. */
  readonly command: (secret: string) => string;
  /** What to do before it, as a sentence. */
  readonly how: string;
  /** How the previous credential ends: a title, and a sentence. */
  readonly ending: { readonly title: string; readonly text: (generation: number) => string };
}

/** What an observation of a previous credential's use needs. */
export interface Observed {
  readonly config: Pick<Config, "environment" | "audit" | "secrets">;
  readonly now: Date;
}

/** A look at who uses a previous login. */
export interface LoginLook {
  readonly login: string;
  /** What was seen of it since it is watched, this look included. */
  readonly watch: Watch;
}

/** A previous credential that is kept after its grace period, since it is in use. */
export interface Kept {
  /** Who uses it, in words. */
  readonly users: string;
  /** What to say of it: who uses it, and until when that may be. */
  readonly words: string;
}

/** A kind's own part of a secret's status. */
export interface OwnStatus {
  /** For logins that Vault makes: how long they last from one renewal to the next and at the most, seconds. */
  readonly lease?: { readonly defaultTtlSeconds: number; readonly maxTtlSeconds: number };
  /**
   * For a password that Vault rotates: its last rotation that services were restarted for, and when its next one comes by
   * itself (null if it has a schedule).
   */
  readonly vault?: { readonly lastRotation: string; readonly nextRotation: string | null };
}

/**
 * What a kind of secret provides to the CLI, besides its traits. The objects are small, and code that reaches a server is
 * loaded when used: every command of the CLI loads all of them.
 */
export interface KindOperations<Secret extends SecretConfig> {
  /** What its rotation consists of, beside what all rotations have. */
  readonly phases: readonly PhaseTable[];
  /** Undefined if the operator has nothing to supply. */
  readonly supply: Supply | undefined;
  /** Why a value in the store cannot be adopted, or how it is. */
  readonly adoption: string | Adoption<Secret>;
  /** Why an update acts without a due date or a request, in a few words. */
  readonly otherwise: string;
  /** Why a request cannot go back to the previous generation; undefined if it can. */
  noWayBack(secret: string): string | undefined;
  status(secret: Secret, state: SecretState | undefined): OwnStatus;
  /** Whether the previous credential outlives its grace period since it is in use; undefined if unchecked. Never throws. */
  kept(secret: Secret, state: SecretState, policy: Policy, observed: Observed): Promise<Kept | undefined>;
  /**
   * Looks who uses the previous login, and keeps what was seen; undefined if there is none. A kind whose previous credential
   * has no users that can be seen has none.
   */
  watch?(secret: Secret, state: SecretState, observed: Observed): Promise<LoginLook | undefined>;
  /**
   * The credentials that the stack knows.
   *
   * @param states that of the last finished update, and of what was begun after it
   */
  known(stack: KnownStack, secret: Secret, states: readonly SecretState[]): Known[];
  /** The credential that the store must hold before the update acts, as far as the stack knows it. */
  inUse(stack: KnownStack, secret: Secret, decision: Decision): CredentialInUse<string> | undefined;
  /**
   * Tries a credential that leaked, with its own values; undefined if they are not all there. Default: it is tried only while
   * the stack knows it.
   */
  tryParts?(stack: KnownStack, secret: Secret, leaked: LeakedParts): Promise<LeakTried | undefined>;
  /** Credentials that no update has recorded, since another system makes them: what it hands out now. @throws StepError */
  handedOut?(stack: KnownStack, secret: Secret, state: SecretState): Promise<readonly Fingerprinted[]>;
  /** Logins that another system makes for readers of this secret, of which the stack knows none. */
  readonly madeElsewhere?: {
    /** Those in a text, by their names. */
    find(secret: Secret, text: string): Promise<readonly NamedLogin[]>;
    /** Tries one. Never throws for what the server answers. */
    tried(secret: Secret, login: NamedLogin): Promise<LeakTried>;
  };
  /**
   * Ends the sessions of a login that leaked; undefined for what has none.
   *
   * @param before only sessions that began before that time, by this machine's clock: later ones have the new password. Undefined: all
   * @returns how many were ended, and how many are left
   */
  endSessions?(secret: Secret, username: string, before: Date | undefined): Promise<EndedSessions>;
  /** What is wrong with the credential, each with the command that fixes it. */
  diagnose(stack: StackView, secret: Secret, state: SecretState, about: About): Promise<Finding[]>;
  /** The kind's own points of the validation checklist. */
  validate(stack: StackView, secret: Secret, state: SecretState): Promise<Check[]>;
  /** What readers find from where they are; a kind whose credential they use in no way of its own has none. */
  rehearse?(stack: StackView, secret: Secret, state: SecretState): Promise<readonly RehearsalRow[]>;
}

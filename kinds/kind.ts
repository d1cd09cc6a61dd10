import type * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../components/platform";
import type { KindAsks } from "../components/preflight-input";
import type { PreviousSecret } from "../components/previous-secrets";
import type { StackSecret } from "../components/secret-rotation";
import type { SharingMember } from "../components/shared-restarts";
import type { CalendarConfig, Config, SecretConfig } from "../config";
import type { Decision, Rules } from "../core/decide";
import type { SecretState } from "../core/state";
import type { KindOperations } from "./kind-operations";
import type { ProbedLogins } from "./probes/order";

/**
 * What a kind of secret is to the program and to the CLI, above its part in the config (`schemas.ts`): one folder, and one
 * line in the registry (`index.ts`). `S` is a secret of the kind, `Seen` what it observes outside of the stack.
 */
export interface Kind<S extends SecretConfig = SecretConfig, Seen extends object = object> {
  /** What its preflight checks, besides the common checks. */
  readonly asks: KindAsks<S>;
  /**
   * Observes what is outside of the stack, before anything is decided.
   *
   * @throws UnavailableError if the decision needs the answer and there is none; nothing was changed
   */
  observe(secret: S, about: About): Promise<Seen>;
  /** The rules of its decisions. `seen` is empty if nothing was observed. */
  rules(secret: S, config: DecidingConfig, seen: Partial<Seen>): Rules;
  /**
   * Loads the modules for the declaration, queries what only that needs, and refuses what is impossible; for every secret
   * before the first is declared, so that a refusal changes nothing.
   *
   * @throws RequestRefusedError, ConfigError
   */
  declare(secret: S, stack: DeclaredIn, seen: Partial<Seen>): Promise<Declare>;
  /** What probes log in with, and to what. Without it only the health of the services is probed. */
  probed?(secret: S, config: Config): ProbedLogins;
  /** What it provides to the CLI. */
  readonly operations: KindOperations<S>;
}

/** The input of an observation before a decision. */
export interface About {
  readonly config: ObservedConfig;
  readonly finished: SecretState | undefined;
  readonly recorded: SecretState | undefined;
  readonly now: Date;
}

/** The part of the config for observations outside of the stack. A pair that is missing is not tried. */
export type ObservedConfig = Pick<
  Config,
  "policy" | "store" | "environment" | "request" | "alpaca" | "alpacaKeys" | "apiKeys" | "audit" | "secrets"
> &
  CalendarConfig;

/** The part of the config for a decision. It contains no secret value, only whether there is one, and labels. */
export type DecidingConfig = Pick<Config, "policy" | "preflight" | "request" | "adopted" | "alpacaKeys" | "apiKeys"> &
  CalendarConfig;

/** The stack in which a secret is declared. */
export interface DeclaredIn {
  readonly config: Config;
  readonly platform: Platform;
  readonly now: Date;
  /** The secret as the last finished update left it. */
  readonly before: PreviousSecret | undefined;
  /** The target of the last activation, as the stack's state records it. */
  readonly recorded: SecretState | undefined;
  /** Whether an update of this stack has finished a secret of that name. */
  readonly isKnown: (secret: string) => boolean;
}

/**
 * Reports what happens to a secret, and says how it is declared. `rolledOut` is the activation that an earlier version of this
 * program rolled out, if one did.
 *
 * @throws RequestRefusedError if the config requests what is impossible; nothing was changed then
 */
export type Declare = (decision: Decision, given: Declared) => Declaration;

export interface Declared {
  /** The activation that an earlier version of this program rolled out, if one did. */
  readonly rolledOut: string | undefined;
  /** The activation that the last finished update left; undefined before the first. */
  readonly finished: string | undefined;
  /** Its place among secrets whose services are restarted together; undefined if its restarts are its own. */
  readonly sharing?: SharingMember | undefined;
}

/** A kind's component. */
export type Component<A extends object> = new (
  name: string,
  args: A,
  opts?: pulumi.ComponentResourceOptions,
) => StackSecret;

/** How a secret is declared: its kind's component and the arguments of this update. */
export interface Declaration {
  readonly component: Component<never>;
  readonly args: object;
  create(name: string, opts: pulumi.ComponentResourceOptions): StackSecret;
}

/** A {@link Declaration} of this component. */
export const declaration = <A extends object>(component: Component<A>, args: A): Declaration => ({
  ...{ component, args },
  create: (name, opts) => new component(name, args, opts),
});

import type * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../components/platform";
import type { KindAsks } from "../components/preflight-input";
import type { PreviousSecret } from "../components/previous-secrets";
import type { StackSecret } from "../components/secret-rotation";
import type { Config, SecretConfig } from "../config";
import type { Decision, Rules } from "../core/decide";
import type { SecretState } from "../core/state";

/**
 * What a kind of secret is to the program and to the CLI, above its part in the config (`schemas.ts`): one folder, and one
 * line in the registry (`index.ts`). `S` is a secret of the kind, `Seen` what it looks for outside of the stack.
 */
export interface Kind<S extends SecretConfig = SecretConfig, Seen extends object = object> {
  /** What its preflight asks, beyond what every preflight does. */
  readonly asks: KindAsks<S>;
  /**
   * Looks outside of the stack, before anything is decided.
   *
   * @throws UnavailableError if the decision needs the answer and there is none; nothing was changed
   */
  observe(secret: S, about: About): Promise<Seen>;
  /** What it decides by. `seen` is empty where nobody looked. */
  rules(secret: S, config: DecidingConfig, seen: Partial<Seen>): Rules;
  /**
   * Loads what it is declared with, asks what only that needs, and refuses what can never be; for every secret before the
   * first is declared, so that a refusal changes nothing.
   *
   * @throws RequestRefusedError, ConfigError
   */
  declare(secret: S, stack: DeclaredIn, seen: Partial<Seen>): Promise<Declare>;
}

/** What is looked at before a decision. */
export interface About {
  readonly config: Config;
  readonly finished: SecretState | undefined;
  readonly recorded: SecretState | undefined;
  readonly now: Date;
}

/** What a decision reads of the config. Of its secrets no value: that there is one, and labels. */
export type DecidingConfig = Pick<Config, "policy" | "request" | "adopted" | "alpacaKeys">;

/** The stack in which a secret is declared. */
export interface DeclaredIn {
  readonly config: Config;
  readonly platform: Platform;
  readonly now: Date;
  /** The secret as the last finished update left it. */
  readonly before: PreviousSecret | undefined;
  /** What the last activation was to bring about, as the stack's state has it. */
  readonly recorded: SecretState | undefined;
  /** Whether an update of this stack has finished a secret of that name. */
  readonly isKnown: (secret: string) => boolean;
}

/**
 * Declares a secret, and says what happens to it.
 *
 * @throws RequestRefusedError where the config asks for what cannot be had; nothing was changed then
 */
export type Declare = (decision: Decision, given: Declared) => StackSecret;

export interface Declared {
  /** The activation that an earlier version of this program rolled out, if one did. */
  readonly rolledOut: string | undefined;
  readonly dependsOn: pulumi.Resource[];
}

import type { Config } from "../../config";
import { redact } from "../../core/redact";
import { activeGeneration, type SecretState } from "../../core/state";
import type { Engine } from "./engine";
import type { SecretOutput } from "./outputs";
import type { Project } from "./project";
import type { RunListener } from "./run-result";
import { secretsToRedact } from "./secrets";

/** What every part of a run works with. */
export interface RunContext {
  readonly project: Project;
  readonly listener: RunListener;
  readonly engine: Engine;
  readonly config: Config;
  /** The stack's outputs before the run. */
  readonly before: Readonly<Record<string, SecretOutput>>;
  /** The command of this run, ready to be copied. */
  readonly again: string;
  /** Whether it runs without confirmation; the commands that it advises do too. */
  readonly yes: boolean;
  /** The signal that interrupted this run, if any. */
  readonly stoppedBy: () => NodeJS.Signals | undefined;
}

/** A text without any secret that this run knows. */
export const cleaned = ({ project, config }: Pick<RunContext, "project" | "config">, text: string): string =>
  redact(text, secretsToRedact(project, config));

/** The generation in use; null before the first finished update. */
export const generationOf = (state: SecretState | undefined): number | null =>
  state === undefined ? null : activeGeneration(state);

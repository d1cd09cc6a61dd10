import { rotationCommand } from "../advice";
import type { Stack } from "../facts";

/** Something that is not as it must be. */
export interface Finding {
  /** The secret; null for the stack as a whole. */
  readonly secret: string | null;
  /** The service that it is about, where it explains why that one is not healthy. */
  readonly service?: string;
  readonly cause: string;
  readonly evidence: string;
  /** The exact command that mends it. */
  readonly command: string;
  /** What else to know of the command. */
  readonly hint?: string;
  /** Does what the command does, and says what it did; undefined where only a person can. */
  readonly fix?: () => Promise<string>;
}

/** One secret's findings, all made the same way. */
export type About = (found: Omit<Finding, "secret">) => Finding;

/** What `rotation` is called with, for this stack. */
export const commandOf = ({ project }: Pick<Stack, "project">, words: string): string =>
  rotationCommand(project, words);

import { oneOf } from "./messages";

/** One thing that is wrong: where it stands, what was expected and what was found. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** For a name that must be a key of something else. */
export const unknown = (found: string, key: string, known: object) =>
  `expected an entry of ${key} (${oneOf(Object.keys(known))}), found ${found}`;

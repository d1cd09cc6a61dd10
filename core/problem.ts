/** One thing in the config that is wrong: its path, what was expected and what was found. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** `one of a, b`, or the only one. */
export function oneOf(names: readonly unknown[]): string {
  if (names.length === 0) return "none (there are none)";
  return names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`;
}

/** For a name that must be a key of something else. */
export const unknown = (found: string, key: string, known: object) =>
  `expected an entry of ${key} (${oneOf(Object.keys(known))}), found ${found}`;

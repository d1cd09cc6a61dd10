/** What becomes of the users of PgBouncer's user list; those that are not named stay as they are. */
export interface UserChanges {
  /** Verifiers by user. */
  readonly set: Readonly<Record<string, string>>;
  /** Users that lose their line. */
  readonly remove: readonly string[];
}

/** `"user" "password"`; a quote inside is doubled. What follows is not read by PgBouncer. */
const LINE = /^[ \t]*"((?:[^"]|"")*)"[ \t]*"((?:[^"]|"")*)"/;

const unquoted = (text: string) => text.replaceAll('""', '"');
const inQuotes = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** The user that a line is about; undefined for a comment or an empty line. */
const userOf = (line: string): string | undefined => {
  const [, user] = LINE.exec(line) ?? [];
  return user === undefined ? undefined : unquoted(user);
};

/** The users of a list. */
export const usersIn = (text: string): string[] => text.split("\n").flatMap((line) => userOf(line) ?? []);

/** PgBouncer's user list with these changes; every other line stays byte for byte, and in its place. */
export function changedUserlist(text: string, { set, remove }: UserChanges): string {
  const left = new Map(Object.entries(set));
  const lines = text.split("\n").flatMap((line) => {
    const user = userOf(line);
    if (user === undefined || !(Object.hasOwn(set, user) || remove.includes(user))) return [line];
    const verifier = left.get(user);
    left.delete(user);
    // A second line of the same user goes: PgBouncer takes one of them.
    if (verifier === undefined) return [];
    return [unquoted(LINE.exec(line)?.[2] ?? "") === verifier ? line : lineOf(user, verifier)];
  });
  if (left.size === 0) return lines.join("\n");
  if (lines.at(-1) === "") lines.pop();
  return `${[...lines, ...[...left].map(([user, verifier]) => lineOf(user, verifier))].join("\n")}\n`;
}

const lineOf = (user: string, verifier: string) => `${inQuotes(user)} ${inQuotes(verifier)}`;

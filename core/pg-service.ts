/** A service of libpq: the values of `pg_service.conf` by key. */
export type PgService = Readonly<Record<string, string>>;

/** A line of the file that is none: libpq refuses the file. */
export class ServiceSyntaxError extends Error {
  override readonly name = "ServiceSyntaxError";
}

/**
 * Reads one service, as libpq does: lines before and after its group do not count, and the first value of a key does.
 *
 * @returns undefined if the file does not have it
 * @throws ServiceSyntaxError for a line that is not `KEY=VALUE`, and for a key with two values
 */
export function pgService(text: string, name: string): PgService | undefined {
  let found: Record<string, string> | undefined;
  for (const [index, written] of text.split("\n").entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (found !== undefined) return found;
      if (line.startsWith(`[${name}]`)) found = {};
    } else if (found !== undefined) {
      const [, key, value = ""] = /^([a-z_]+)=(.*)$/.exec(line) ?? [];
      if (key === undefined)
        throw new ServiceSyntaxError(`line ${index + 1}: expected KEY=VALUE without spaces around =`);
      if (found[key] !== undefined && found[key] !== value)
        throw new ServiceSyntaxError(`line ${index + 1}: expected one value of ${key}, found a second one`);
      found[key] = value;
    }
  }
  return found;
}

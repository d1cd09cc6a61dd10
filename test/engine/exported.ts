/** A resource as `pulumi stack export --show-secrets` gives it. */
export interface Exported {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly [more: string]: unknown;
}

const SECRET_KEY = "4dabf18193072939515e22adb298388d";
export const secret = (value: unknown) => ({
  [SECRET_KEY]: "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

/** What a command read, whose text is a secret where a secret is in it. */
export function stdinOf<T>({ inputs }: Exported): T {
  const stdin = inputs?.stdin as string | { readonly plaintext: string };
  return JSON.parse(typeof stdin === "string" ? stdin : (JSON.parse(stdin.plaintext) as string)) as T;
}

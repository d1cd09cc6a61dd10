import { formsOf } from "../../../core/redact";

/** A secret by what it is for, so that a finding can be named without its value. */
export type Secrets = Readonly<Record<string, string>>;

/** Shorter texts are not searched for: they would be found by chance, and no credential is that short. */
const SHORTEST = 6;

interface Pattern {
  readonly name: string;
  readonly bytes: Buffer;
}

const MASK_BITS = 16;
const spread = (key: number) => Math.imul(key, 0x9e3779b1) >>> (32 - MASK_BITS);

/** Looks for many secrets at once, in every form, at some hundred megabytes a second. */
export class LeakSearch {
  private readonly byStart = new Map<number, Pattern[]>();
  private readonly starts = new Uint8Array(1 << MASK_BITS);

  constructor(secrets: Secrets) {
    for (const [name, value] of Object.entries(secrets)) {
      if (value.length < SHORTEST) continue;
      for (const form of formsOf(value)) this.add({ name, bytes: Buffer.from(form, "utf8") });
    }
  }

  private add(pattern: Pattern): void {
    const key = pattern.bytes.readInt32LE(0);
    this.byStart.set(key, [...(this.byStart.get(key) ?? []), pattern]);
    this.starts[spread(key)] = 1;
  }

  /** The names of the secrets that stand in it, each once. */
  in(text: string | Buffer): string[] {
    const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
    const found = new Set<string>();
    let key = 0;
    for (let end = 0; end < bytes.length; end++) {
      // The four bytes up to here, as one number.
      key = (key >>> 8) | ((bytes[end] as number) << 24);
      if (this.starts[spread(key)] === 0 || end < 3) continue;
      for (const { name, bytes: form } of this.byStart.get(key) ?? []) {
        if (!found.has(name) && bytes.subarray(end - 3, end - 3 + form.length).equals(form)) found.add(name);
      }
    }
    return [...found];
  }
}

/** The names of the secrets that stand in a text, in whatever form. */
export const leaksIn = (text: string, secrets: Secrets): string[] => new LeakSearch(secrets).in(text);

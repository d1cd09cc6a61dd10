import { createHmac } from "node:crypto";

/** What is kept of a credential: nothing that it could be computed back from. */
export interface Fingerprint {
  readonly generation: number;
  /** Which value of the secret: `password`, or the halves of a pair. */
  readonly part: string;
  readonly username: string | null;
  readonly fingerprint: string;
  /** The value's length, in UTF-16 units. */
  readonly length: number;
}

/** A credential whose fingerprint is to be kept. */
export interface Fingerprinted {
  readonly generation: number;
  readonly part: string;
  readonly username: string | null;
  readonly value: string;
}

/** @param key 32 bytes or more, in base64 */
export const fingerprintOf = (key: string, value: string): string =>
  createHmac("sha256", Buffer.from(key, "base64")).update(`secret-rotation/fingerprint/1\0${value}`).digest("hex");

/** What is kept of credentials. */
export const fingerprinted = (key: string, credentials: readonly Fingerprinted[]): Fingerprint[] =>
  credentials.map(({ value, ...about }) => ({
    ...about,
    fingerprint: fingerprintOf(key, value),
    length: value.length,
  }));

/** A credential that occurs in a text. */
export interface Match<F extends Fingerprint> {
  readonly of: F;
  /** The value itself: keep it in memory, print none of it. */
  readonly value: string;
}

/** Shorter values would have to be searched for at every place of a text, and say little. */
const SHORTEST = 6;

/**
 * Every known credential that occurs in a text: as it is, URL-encoded, or in base64; also inside of a longer text, such as a
 * connection string or a line of code.
 */
export function matchesIn<F extends Fingerprint>(text: string, key: string, known: readonly F[]): Match<F>[] {
  const lengths = [...new Set(known.map(({ length }) => length))].filter((length) => length >= SHORTEST);
  const byPrint = new Map<string, F[]>();
  for (const one of known) byPrint.set(one.fingerprint, [...(byPrint.get(one.fingerprint) ?? []), one]);
  const found = new Map<F, string>();
  for (const form of formsIn(text)) {
    for (const length of lengths) {
      for (let at = 0; at + length <= form.length; at++) {
        const value = form.slice(at, at + length);
        if (/\s{2}|[\r\n]/.test(value)) continue;
        for (const one of byPrint.get(fingerprintOf(key, value)) ?? []) found.set(one, value);
      }
    }
  }
  return [...found].map(([of, value]) => ({ of, value }));
}

/** The text, and what its encoded parts say. */
export function formsIn(text: string): Set<string> {
  const encoded = text.match(/[A-Za-z0-9+/_-]{8,}={0,2}/g) ?? [];
  const decoded = encoded.map((word) => Buffer.from(word, "base64").toString("utf8"));
  const readable = decoded.filter((word) => /^[\x20-\x7e]{6,}$/.test(word));
  return new Set([text, ...(text.includes("%") ? [unescaped(text)] : []), ...readable]);
}

const unescaped = (text: string): string =>
  text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (codes) => {
    try {
      return decodeURIComponent(codes);
    } catch {
      return codes;
    }
  });

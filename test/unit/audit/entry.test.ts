import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditEntryInput, assertNoSecret, canonicalJson, parseEntry } from "../../../audit/entry";

const ENTRY: AuditEntryInput = {
  secretName: "database/password",
  rotatedBy: "ci",
  rotationDate: "2026-11-23T09:00:00Z",
  status: "SUCCESS",
};

describe("an entry", () => {
  it("needs the runbook's four values alone", () => {
    expect(parseEntry(ENTRY)).toMatchObject({ ...ENTRY, action: "MANUAL", generation: null, outputs: null });
  });

  it("is refused with every wrong field at once, and without a value in the message", () => {
    const wrong = { ...ENTRY, status: "OK", generation: -1, rotatedBy: "", pasword: "hunter2-hunter2" };
    expect(() => parseEntry(wrong)).toThrow(/rotatedBy: .*status: .*generation: .*pasword/s);
    expect(() => parseEntry(wrong)).not.toThrow(/hunter2/);
    for (const bad of ["2026-11-23", "2026-11-23T09:00:00", "now"]) {
      expect(() => parseEntry({ ...ENTRY, rotationDate: bad })).toThrow(/rotationDate/);
    }
    for (const bad of ["a\0", "\ud800"]) expect(() => parseEntry({ ...ENTRY, reason: bad })).toThrow(/reason: .*NUL/);
  });

  it("has one canonical JSON, whatever the order of its keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const shuffled = JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
          typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).reverse())
            : inner,
        );
        expect(canonicalJson(shuffled)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("a secret in an entry", () => {
  const secret = fc.string({ minLength: 6, maxLength: 40 }).filter((text) => text.trim().length >= 6);
  const disguise = fc.constantFrom(
    (text: string) => text,
    (text: string) => `postgres://trader:${encodeURIComponent(text)}@db/trader`,
    (text: string) => Buffer.from(text).toString("base64"),
    (text: string) => JSON.stringify({ password: text }),
  );

  it("is found in any field, however it is written, and not repeated", () => {
    fc.assert(
      fc.property(secret, disguise, fc.constantFrom("outputs", "reason"), (value, wear, field) => {
        const text = wear(value);
        const entry = { ...ENTRY, [field]: field === "outputs" ? { deep: [{ inside: text }] } : text };
        expect(() => assertNoSecret(entry, ["another-secret", value])).toThrow(new RegExp(`field ${field} holds`));
      }),
    );
  });

  it("is not seen if there is none", () => {
    expect(() => assertNoSecret({ ...ENTRY, outputs: { path: "secret/prod" } }, ["K9!kd83jdA_", ""])).not.toThrow();
  });
});

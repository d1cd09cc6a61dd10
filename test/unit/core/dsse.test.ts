import { describe, expect, it } from "vitest";
import { type Envelope, preAuthEncoding, sealed, signerOf, statementIn } from "../../../core/dsse";

const TYPE = "urn:secret-rotation:test:1";
const signer = { keyid: "k", sign: (bytes: Buffer) => Promise.resolve(Buffer.from(bytes).reverse()) };
const verifier = (bytes: Buffer, signature: Buffer) =>
  Promise.resolve(Buffer.from(signature).reverse().equals(bytes) ? "who" : undefined);
const statement = {
  subject: [{ name: "a", digest: { sha256: "ab".repeat(32) } }],
  predicateType: TYPE,
  predicate: { b: 1 },
};

describe("a DSSE envelope", () => {
  it("is signed over type and payload, as the specification says", async () => {
    expect(preAuthEncoding(Buffer.from("ü{}")).toString()).toBe("DSSEv1 28 application/vnd.in-toto+json 4 ü{}");
    const envelope = await sealed(statement, signer);
    expect(await signerOf(envelope, verifier)).toBe("who");
    expect(statementIn(envelope, TYPE)).toEqual({ _type: "https://in-toto.io/Statement/v1", ...statement });
  });

  it("is nobody's if its payload was changed, whatever else it has", async () => {
    const envelope = await sealed(statement, signer);
    const payload = Buffer.from(Buffer.from(envelope.payload, "base64").toString().replace('"b":1', '"b":2'));
    const changed: Envelope = { ...envelope, payload: payload.toString("base64") };
    expect(await signerOf(changed, verifier)).toBeUndefined();
    const more = [...envelope.signatures, { keyid: "k", sig: "AAAA" }];
    expect(await signerOf({ ...changed, signatures: more }, verifier)).toBeUndefined();
    // A second signature, of a key that nobody knows, takes nothing away.
    expect(await signerOf({ ...envelope, signatures: more.toReversed() }, verifier)).toBe("who");
  });

  it("is read only as what it is", async () => {
    const envelope = await sealed(statement, signer);
    expect(() => statementIn(envelope, "urn:secret-rotation:other:1")).toThrow(/expected a statement of the type/);
  });
});

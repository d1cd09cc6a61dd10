import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { APPROVAL_TYPE, type Approved, allowedSigners, readApproval, sealApproval } from "../../../core/approval";
import { sealed } from "../../../core/dsse";

const signer = { keyid: "k", sign: (bytes: Buffer) => Promise.resolve(Buffer.from(bytes).reverse()) };
const verifier = (bytes: Buffer, signature: Buffer) =>
  Promise.resolve(Buffer.from(signature).reverse().equals(bytes) ? "alice" : undefined);
const nobody = () => Promise.resolve(undefined);

const AT = new Date("2026-11-23T02:00:00Z");
const PLAN = "ab".repeat(32);
const APPROVED: Approved = { stack: "prod", secret: "database/password", action: "ROTATE", generation: 4, plan: PLAN };

describe("an approval", () => {
  it("says after its signature what was approved, and by whom", async () => {
    const approved = fc.record({
      ...{ stack: fc.string(), secret: fc.string(), action: fc.string(), generation: fc.nat() },
      plan: fc.stringMatching(/^[0-9a-f]{64}$/),
    });
    await fc.assert(
      fc.asyncProperty(approved, async (one) => {
        const text = JSON.stringify(await sealApproval(one, AT, signer));
        expect(await readApproval(text, verifier)).toEqual({ ...one, by: "alice" });
        expect(await readApproval(text, nobody)).toBeUndefined();
      }),
    );
  });

  it("is an in-toto statement about the plan", async () => {
    const { payload } = await sealApproval(APPROVED, AT, signer);
    const { plan, ...about } = APPROVED;
    expect(JSON.parse(Buffer.from(payload, "base64").toString())).toEqual({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "plan of database/password", digest: { sha256: plan } }],
      predicateType: "urn:secret-rotation:approval:1",
      predicate: { ...about, at: AT.toISOString() },
    });
  });

  it.each<[string, () => Promise<string>]>([
    ["a text that is no JSON", async () => "approved"],
    ["JSON that is no envelope", async () => "{}"],
    ["a statement of another type", () => statement({ predicateType: "urn:secret-rotation:evidence:1" })],
    ["a statement about no plan", () => statement({ subject: [] })],
    ["a statement that says too little", () => statement({ predicate: { stack: "prod" } })],
  ])("is not %s", async (_, text) => {
    expect(await readApproval(await text(), verifier)).toBeUndefined();
  });

  it("is not refused for what goes wrong while it is verified", async () => {
    const text = JSON.stringify(await sealApproval(APPROVED, AT, signer));
    const missing = () => Promise.reject(new Error("ssh-keygen is missing"));
    await expect(readApproval(text, missing)).rejects.toThrow("ssh-keygen is missing");
  });

  it("is verified with a line for each approver", () => {
    expect(allowedSigners({ alice: "ssh-ed25519 AAAA", bob: "ssh-ed25519 BBBB" })).toBe(
      "alice ssh-ed25519 AAAA\nbob ssh-ed25519 BBBB\n",
    );
    expect(allowedSigners({})).toBe("");
  });
});

async function statement(changes: object): Promise<string> {
  const { plan, ...predicate } = APPROVED;
  const whole = { subject: [{ name: "plan", digest: { sha256: plan } }], predicateType: APPROVAL_TYPE, predicate };
  return JSON.stringify(await sealed({ ...whole, ...changes }, signer));
}

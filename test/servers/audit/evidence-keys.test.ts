import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChainRow, HASHED_COLUMNS } from "../../../audit/canonical";
import { approvalProblems } from "../../../audit/evidence/approvals";
import { placeOf } from "../../../audit/evidence/places";
import { timestampOf, verifyTimestamp } from "../../../clients/timestamp";
import { sealApproval } from "../../../core/approval";
import { DAY } from "../../../core/time";
import { type Moto, startMoto } from "../../../dev/lab/moto";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { makeBucket, transitKeys } from "../../../dev/prove/evidence/servers";
import { BUCKET, sshKeys } from "../../../dev/prove/evidence/world";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { testFolder } from "../lab/folder";
import { startAuthority } from "./authority";

let folder: Awaited<ReturnType<typeof testFolder>>;
let bao: OpenBao;
let moto: Moto;
beforeAll(async () => {
  folder = await testFolder();
  const tools = await resolveToolchain({ need: ["openbao", "moto"], onProgress: () => undefined });
  const { dir } = folder;
  [bao, moto] = await Promise.all([
    startOpenBao({ dir, bin: tools.openbao?.path ?? "" }),
    startMoto({ dir, bin: tools.moto?.path ?? "" }),
  ]);
  process.env.VAULT_TOKEN = bao.rootToken;
  await bao.request("POST", "sys/mounts/transit", { type: "transit" });
  await makeBucket(moto);
});
afterAll(async () => {
  delete process.env.VAULT_TOKEN;
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  await Promise.all([bao?.stop(), moto?.stop()]);
  await folder.remove();
});

describe("a key of Vault's transit engine", () => {
  it.each(["ed25519", "ecdsa-p256", "rsa-2048"])(
    "of the type %s signs, and its public key alone verifies",
    async (type) => {
      const { signer, verifier } = await transitKeys(bao, type, type);
      const bytes = Buffer.from("what is signed");
      const signature = await signer.sign(bytes);
      expect(await verifier(bytes, signature)).toBe("public key 1");
      expect(await verifier(Buffer.from("what is signeD"), signature)).toBeUndefined();
      expect(await verifier(bytes, Buffer.from(signature).reverse())).toBeUndefined();
      // After a rotation of the key, what it signed before still verifies with the keys of both versions.
      await bao.request("POST", `transit/keys/${type}/rotate`, {});
      const later = await transitKeys(bao, type, type);
      expect(await later.verifier(bytes, signature)).toBe("public key 1");
      expect(await later.verifier(bytes, await later.signer.sign(bytes))).toBe("public key 2");
    },
  );
});

describe("a bucket with object lock", () => {
  it("gives back the first that was kept, whatever came later, and keeps it from being deleted", async () => {
    const { address: endpoint, region } = moto;
    const place = placeOf({ kind: "s3", bucket: BUCKET, region, prefix: "a/", endpoint, lock: DAY as never }, "paper");
    await place.keep(1, "first");
    await place.keep(2, "second");
    const { default: sdk } = await import("@aws-sdk/client-s3");
    const client = new sdk.S3Client({ endpoint, region, forcePathStyle: true });
    const Key = "a/paper/00000001.json";
    const { VersionId } = await client.send(new sdk.HeadObjectCommand({ Bucket: BUCKET, Key }));
    await client.send(new sdk.PutObjectCommand({ Bucket: BUCKET, Key, Body: "forged" }));
    await client.send(new sdk.DeleteObjectCommand({ Bucket: BUCKET, Key: "a/paper/00000002.json" }));
    expect(await place.list()).toEqual(["first", "second"]);
    await expect(client.send(new sdk.DeleteObjectCommand({ Bucket: BUCKET, Key, VersionId }))).rejects.toThrow(
      /Access Denied|denied/i,
    );
    client.destroy();
  });
});

describe("an authority's time stamp", () => {
  it("is over the digest alone, and verified with the authority's certificate", async () => {
    const authority = await startAuthority(folder.dir);
    const other = await startAuthority(folder.dir, "other");
    try {
      const digest = "ab".repeat(32);
      const stamp = await timestampOf(authority.url, digest);
      const at = await verifyTimestamp(stamp, digest, authority.certificate);
      expect(Math.abs((at?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await verifyTimestamp(stamp, "cd".repeat(32), authority.certificate)).toBeUndefined();
      expect(await verifyTimestamp(stamp, digest, other.certificate)).toBeUndefined();
      await expect(timestampOf(`${authority.url}/refuses`, digest)).rejects.toThrow();
    } finally {
      await Promise.all([authority.stop(), other.stop()]);
    }
  });
});

describe("approvals that a row names", () => {
  const row = (outputs: object): ChainRow => {
    const named: Record<string, string> = {
      secretName: "database/password",
      stack: "paper",
      outputs: JSON.stringify(outputs),
    };
    return {
      id: 4,
      previousHash: null,
      hash: null,
      fields: Object.keys(HASHED_COLUMNS).map((name) => named[name] ?? null),
    };
  };

  it("are in the bundle, signed by the approver's key over the same plan", async () => {
    const [alice, mallory] = [await sshKeys(folder.dir, "alice"), await sshKeys(folder.dir, "mallory")];
    const by = { alice: (await readFile(`${alice.key}.pub`, "utf8")).trim() };
    const config = JSON.stringify({ "secret-rotation:approvals": { required: 1, by } });
    const about = { stack: "paper", secret: "database/password", action: "ROTATE", generation: 2 };
    const plan = "ab".repeat(32);
    const signed = async (signer: typeof alice.signer, of = plan) =>
      JSON.stringify(await sealApproval({ ...about, plan: of }, new Date(), signer));
    const rows = [row({ plan, approvedBy: ["alice"] })];
    const problems = async (...texts: string[]) => approvalProblems(rows, "paper", config, texts);
    expect(await problems(await signed(alice.signer))).toEqual([]);
    const missing = ["row 4: no approval of its plan by alice"];
    expect(await problems()).toEqual(missing);
    expect(await problems(await signed(mallory.signer))).toEqual(missing);
    expect(await problems(await signed(alice.signer, "cd".repeat(32)), "no approval")).toEqual(missing);
  });
});

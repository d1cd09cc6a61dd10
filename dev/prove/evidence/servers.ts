import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pemVerifier, transitPublicKeys, transitSigner } from "../../../clients/transit-signature";
import { type Moto, startMoto } from "../../lab/moto";
import { type OpenBao, startOpenBao } from "../../lab/openbao";
import { resolveToolchain } from "../../toolchain/resolve";
import { BUCKET, type Keys, startWorld, type World } from "./world";

/** A key of the transit engine. */
export async function transitKeys(bao: OpenBao, key: string, type: string): Promise<Keys> {
  await bao.request("POST", `transit/keys/${key}`, { type });
  const place = { address: bao.address, namespace: undefined, caCert: undefined, session: undefined };
  const verifier = pemVerifier(await transitPublicKeys(place, "transit", key));
  return { signer: transitSigner(place, "transit", key), verifier };
}

/** A bucket with object lock. */
export async function makeBucket({ address, region, env }: Moto): Promise<void> {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY,
  });
  const { default: sdk } = await import("@aws-sdk/client-s3");
  const client = new sdk.S3Client({ endpoint: address, region, forcePathStyle: true });
  await client.send(new sdk.CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
  client.destroy();
}

/** {@link startWorld} with real servers: a bucket with object lock, and for transit an OpenBao. */
export async function startProofWorld(sign: "ssh" | "vault-transit"): Promise<{ world: World; stop(): Promise<void> }> {
  const tools = await resolveToolchain({ need: ["openbao", "moto"] });
  const dir = await mkdtemp(join(tmpdir(), "evidence-servers-"));
  const running: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const one of running.reverse()) await one.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const moto = await startMoto({ dir, bin: tools.moto?.path ?? "" });
    running.push(moto);
    await makeBucket(moto);
    let keys: Keys | undefined;
    if (sign === "vault-transit") {
      const bao = await startOpenBao({ dir, bin: tools.openbao?.path ?? "" });
      running.push(bao);
      process.env.VAULT_TOKEN = bao.rootToken;
      await bao.request("POST", "sys/mounts/transit", { type: "transit" });
      keys = await transitKeys(bao, "evidence", "ed25519");
    }
    const world = await startWorld({ moto, ...(keys === undefined ? {} : { keys }) });
    running.push(world);
    return { world, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

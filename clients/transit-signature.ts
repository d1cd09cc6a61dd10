import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Signer, Verifier } from "../core/dsse";
import { StepError } from "../core/errors";
import type { VaultPlace } from "../stores/schemas";
import { Vault } from "./vault";

/** Signs with a key of Vault's transit engine, which never leaves it. @throws StepError */
export function transitSigner(place: VaultPlace, mount: string, key: string): Signer {
  return {
    keyid: `vault-transit:${mount}/${key}`,
    async sign(bytes) {
      const input = bytes.toString("base64");
      const answer = await new Vault(place).put<{ data: { signature: string } }>(`${mount}/sign/${key}`, { input });
      // `vault:v1:` and the signature; Ed25519 needs no hash, and of the other types it is SHA-256.
      const [, encoded] = /^vault:v\d+:(.+)$/.exec(answer?.data.signature ?? "") ?? [];
      if (encoded === undefined) throw new StepError(`${mount}/sign/${key} answered without a signature`);
      return Buffer.from(encoded, "base64");
    },
  };
}

/** The public keys of a transit key in PEM, one for each version that still signs or verifies. @throws StepError */
export async function transitPublicKeys(place: VaultPlace, mount: string, key: string): Promise<string> {
  interface Answer {
    readonly data: { readonly keys: Readonly<Record<string, { readonly public_key?: string }>> };
  }
  const answer = await new Vault(place).get<Answer>(`${mount}/keys/${key}`);
  const keys = Object.values(answer?.data.keys ?? {}).flatMap(({ public_key: found }) => found ?? []);
  if (keys.length === 0)
    throw new StepError(`${mount}/keys/${key} has no public key: it must be ed25519, ecdsa or rsa`);
  return keys.map(asPem).join("");
}

/** What is before the bytes of an Ed25519 key in PEM. */
const ED25519 = Buffer.from("302a300506032b6570032100", "hex");

/** Vault gives an Ed25519 key as its bytes in base64, and the others as PEM. */
function asPem(key: string): string {
  if (key.startsWith("-----")) return key.endsWith("\n") ? key : `${key}\n`;
  const der = Buffer.concat([ED25519, Buffer.from(key, "base64")]);
  return String(createPublicKey({ key: der, format: "der", type: "spki" }).export({ format: "pem", type: "spki" }));
}

const PEM = /-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g;

/** Verifies with public keys in PEM, one for each version of the key. @throws StepError if the text has none */
export function pemVerifier(text: string): Verifier {
  const keys = (text.match(PEM) ?? []).map((pem) => createPublicKey(pem));
  if (keys.length === 0) throw new StepError("expected public keys in PEM, found none");
  return (bytes, signature) => {
    const index = keys.findIndex((key) => fits(key, bytes, signature));
    return Promise.resolve(index === -1 ? undefined : `public key ${index + 1}`);
  };
}

function fits(key: KeyObject, bytes: Buffer, signature: Buffer): boolean {
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return verify(null, bytes, key, signature);
    case "rsa": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return verify("sha256", bytes, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_AUTO }, signature);
    }
    default:
      return verify("sha256", bytes, key, signature);
  }
}

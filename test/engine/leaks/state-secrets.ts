import { createDecipheriv, pbkdf2 } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { Stack } from "../../../dev/lab/stack";
import { filesBelow } from "../../unit/leaks/files";
import type { Secrets } from "../../unit/leaks/forms";

/** What marks a secret in a checkpoint. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The mark's value; a secret inside of a secret has it too. */
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What a plan writes for a value that is not known before the update. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * Properties that are a credential as a whole: `result` is that of a `RandomPassword`. Others are none (a role's
 * `password` is the verifier) or hold one that stands elsewhere too (what is written to the store).
 */
const WHOLE = new Set(["result", "sshPrivateKey", "privateKey", "slackWebhook"]);

/** Properties and config keys that hold credentials among other things. */
const MIXED = new Set(["stdin", "connection", "alpacaKeys", "apiKeys", "notify"]);

/**
 * Every credential that ever stood in a stack's config, state, history, backups or plans: each ciphertext there is
 * decrypted with the passphrase, as Pulumi would do it.
 */
export async function stateSecrets({ projectDir, stateDir, name, env }: Stack): Promise<Secrets> {
  const settings = parse(await readFile(join(projectDir, `Pulumi.${name}.yaml`), "utf8")) as {
    encryptionsalt?: string;
  };
  if (settings.encryptionsalt === undefined) return {};
  const decrypt = await decryption(settings.encryptionsalt, env.PULUMI_CONFIG_PASSPHRASE ?? "");
  const files = [...(await filesBelow(stateDir)), ...(await filesBelow(projectDir))];
  const found: Record<string, string> = {};
  for (const { path, bytes } of files.filter((file) => /\.(json|yaml|bak|attrs)$/.test(file.path))) {
    for (const { key, ciphertext } of ciphertextsIn(parsed(bytes.toString("utf8"), path))) {
      const plain = decrypt(ciphertext);
      if (plain === undefined) continue;
      for (const value of credentialsIn(key, plain).filter((text) => text !== SECRET && text !== UNKNOWN))
        found[value] ??= `${key} in ${basename(path)}`;
    }
  }
  return Object.fromEntries(Object.entries(found).map(([value, what], index) => [`${what} (${index + 1})`, value]));
}

/** PBKDF2 and AES-256-GCM, as Pulumi's passphrase provider has them. @returns undefined for another stack's text */
async function decryption(salt: string, passphrase: string): Promise<(ciphertext: string) => string | undefined> {
  const key = await promisify(pbkdf2)(
    passphrase,
    Buffer.from(salt.split(":")[1] ?? "", "base64"),
    1_000_000,
    32,
    "sha256",
  );
  return (ciphertext) => {
    const [version, nonce, text] = ciphertext.split(":");
    if (version !== "v1" || nonce === undefined || text === undefined) return undefined;
    const bytes = Buffer.from(text, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(-16));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString("utf8");
    } catch {
      return undefined;
    }
  };
}

function parsed(text: string, path: string): unknown {
  try {
    return path.endsWith(".yaml") ? parse(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Found {
  /** The property or config key that it is the value of. */
  readonly key: string;
  readonly ciphertext: string;
}

function ciphertextsIn(value: unknown, key = ""): Found[] {
  if (Array.isArray(value)) return value.flatMap((item) => ciphertextsIn(item, key));
  if (typeof value !== "object" || value === null) return [];
  const { ciphertext, secure } = value as { ciphertext?: unknown; secure?: unknown };
  if (SIGNATURE in value && typeof ciphertext === "string") return [{ key, ciphertext }];
  if (typeof secure === "string") return [{ key, ciphertext: secure }];
  return Object.entries(value).flatMap(([inner, item]) => ciphertextsIn(item, inner));
}

/** The credentials in a decrypted value; most values are the whole input of a step, most of which is not secret. */
function credentialsIn(key: string, plain: string): string[] {
  const name = key.replace("secret-rotation:", "");
  if (name === "adopted" || name === "connectionPasswords") return textsBelow(jsonIn(plain), true);
  if (MIXED.has(name)) return textsBelow(jsonIn(plain)).flatMap(keyLines);
  const value = jsonIn(plain);
  // What stands below a key of the config: `notify.email.password`.
  const below = name === "password" && plain !== "" && !/^"?SCRAM-SHA-256/.test(plain);
  return WHOLE.has(name) || below ? keyLines(typeof value === "string" ? value : plain) : [];
}

/** Keys of the project's, the engine's and the plugins' own inputs under which a credential stands. */
const CREDENTIAL = /^(password|privateKey|token|secretKey|keyId|value|slackWebhook)$/i;

/** Requests to an issuer, which name variables and places of an answer: `token`, `keyId`. */
const NAMES = "issuer";

/** Every text below such a key; what says `public: true` of itself holds none. */
function textsBelow(value: unknown, credential = false): string[] {
  if (typeof value === "string") return credential ? [value] : [];
  if (typeof value !== "object" || value === null || ("public" in value && value.public === true)) return [];
  const entries = Object.entries(value).filter(([key]) => key !== NAMES);
  return entries.flatMap(([key, item]) => textsBelow(item, credential || CREDENTIAL.test(key)));
}

/** A property is JSON, and a step's input a text of JSON inside of that; a config value is as it is. */
function jsonIn(plain: string): unknown {
  const value = parsed(plain, "") ?? plain;
  return typeof value === "string" && /^[[{]/.test(value) ? (parsed(value, "") ?? value) : value;
}

/** A private key is written in lines, which may be joined in another way elsewhere; the first is the same in every key. */
export function keyLines(value: string): string[] {
  if (!value.includes("PRIVATE KEY")) return [value];
  return value.split("\n").filter((line) => line.length >= 30 && !/^(-----|b3BlbnNzaC1rZXktdjE)/.test(line));
}

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../../lab/poll";
import type { Bench } from "./harness";
import { verifiers } from "./role-support";

/** A secret by what it is for, so that a finding can be named without its value. */
export type Secrets = Readonly<Record<string, string>>;

/** Every credential that the lab has made; the verifiers apart, for PostgreSQL's log has them. */
export function labSecrets({ lab }: Bench): Secrets {
  const found: Record<string, string> = {
    "the administrator's password": lab.postgres.adminPassword,
    "Vault's root token": lab.openbao.rootToken,
    "the Alpaca secret key": lab.adoptedAlpaca.secretKey,
  };
  for (const [name, value] of Object.entries(lab.env)) {
    if (/TOKEN|PASSWORD|SECRET/.test(name)) found[`the run's ${name}`] = value;
  }
  for (const [name, value] of Object.entries(lab.adopted)) found[`the adopted ${name}`] = value;
  for (const { name, config } of lab.hosts.flatMap((host) => host.services)) {
    found[`the store's credential of ${name}`] =
      config.store.kind === "vault" ? config.store.token : config.store.secretAccessKey;
  }
  // A key is written in lines, which may be joined in another way elsewhere.
  lab.config.sshPrivateKey
    .split("\n")
    .filter((line) => line.length >= 30 && !line.startsWith("-----"))
    .forEach((line, index) => {
      found[`line ${index + 1} of the SSH key`] = line;
    });
  return found;
}

/** The passwords that are in the slots now, by slot and generation. */
export async function slotSecrets({ stack }: Bench): Promise<Secrets> {
  const { exitCode, stdout, stderr } = await stack.pulumi(["stack", "export", "--show-secrets"]);
  if (exitCode !== 0) throw new Error(`pulumi stack export failed: ${stderr}`);
  const { deployment } = JSON.parse(stdout) as { deployment: { resources: SlotResource[] } };
  const slots = deployment.resources.filter(({ type }) => type === "random:index/randomPassword:RandomPassword");
  return Object.fromEntries(
    slots.map(({ urn, inputs, outputs }) => [
      `${urn.split("::").at(-1)} of generation ${inputs.keepers.generation}`,
      String(JSON.parse(outputs.result.plaintext)),
    ]),
  );
}

interface SlotResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs: { readonly keepers: { readonly generation: string } };
  readonly outputs: { readonly result: { readonly plaintext: string } };
}

/** What PostgreSQL keeps of each password. */
export async function verifierSecrets(bench: Bench): Promise<Secrets> {
  const known = Object.entries(await verifiers(bench)).filter(([, verifier]) => verifier !== null);
  return Object.fromEntries(known.map(([role, verifier]) => [`the verifier of ${role}`, String(verifier)]));
}

/** The names of the secrets that stand in a text: plain, URL-encoded, in base64 (on its own or inside of more) or hex. */
export function leaksIn(text: string, secrets: Secrets): string[] {
  return Object.entries(secrets)
    .filter(([, value]) => [...formsOf(value)].some((form) => text.includes(form)))
    .map(([name]) => name);
}

function formsOf(value: string): Set<string> {
  const bytes = Buffer.from(value, "utf8");
  const inside = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The first and the last characters depend on what stands around it.
    return encoded.slice(offset === 0 ? 0 : offset + 1, (offset + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const url = inside.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  return new Set([
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    bytes.toString("hex"),
    ...inside,
    ...url,
  ]);
}

/** Every file below a folder, as text; links to elsewhere are not followed. */
export async function filesBelow(folder: string): Promise<{ readonly path: string; readonly text: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (path) => ({ path, text: await readFile(path, "utf8").catch(() => "") })));
}

/** How often a new process is looked at: between fork and exec it still shows its parent's command line. */
const LOOKS = 5;

/** Looks at the command line of every process until it is stopped, and once more then. */
export function watchProcesses(): { stop(): Promise<string> } {
  const seen = new Set<string>();
  let looks = new Map<string, number>();
  const look = async () => {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const before = looks;
    looks = new Map(pids.map((pid) => [pid, (before.get(pid) ?? 0) + 1]));
    for (const pid of pids) {
      if ((looks.get(pid) ?? 0) > LOOKS) continue;
      seen.add((await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " "));
    }
  };
  let running = true;
  const watching = (async () => {
    for (; running; await pause(20)) await look();
  })();
  return {
    stop: async () => {
      running = false;
      await watching;
      await look();
      return [...seen].join("\n");
    },
  };
}

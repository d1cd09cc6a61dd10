import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../../../../cli/toolchain/project";

const TEMPLATE = join(projectRoot(), "templates", "custom-kind");

/** The template's own issuer, which runs. */
export async function startIssuer(token: string) {
  const subprocess = execa(process.execPath, [join(TEMPLATE, "example-issuer.mjs")], {
    env: { ISSUER_TOKEN: token, PORT: "0" },
    reject: false,
  });
  const url = await new Promise<string>((resolve, reject) => {
    subprocess.stdout.once("data", (text: Buffer) => resolve(String(text).trim()));
    subprocess.once("exit", (code) => reject(new Error(`the issuer ended with ${code}`)));
  });
  /** How many keys have this name. */
  const count = async (name: string) => {
    const path = `${url}/keys?name=${encodeURIComponent(name)}`;
    const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
    return ((await response.json()) as unknown[]).length;
  };
  const stop = async () => {
    subprocess.kill();
    await subprocess;
  };
  return { url, count, stop };
}

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

/** A change of the template: in one of its files, or of one of its commands. */
export type Edit = readonly [file: string, from: string, to: string];

/** A copy of the template with these changes. */
export async function kindWith(edits: readonly Edit[]) {
  const folder = await mkdtemp(join(tmpdir(), "kind-"));
  await cp(TEMPLATE, folder, { recursive: true });
  for (const [file, from, to] of edits) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    if (!text.includes(from)) throw new Error(`expected ${file} to have ${from}`);
    await writeFile(path, text.replace(from, to));
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

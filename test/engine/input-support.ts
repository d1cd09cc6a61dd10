import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { parse } from "yaml";
import { preflight } from "../../cli/operate/preflight";
import { openProject } from "../../cli/operate/project";
import { failureOf } from "../../components/preflight/preflight";
import { type Bench, refusedUp, stateOf } from "./harness";

type Settings = Record<string, unknown>;

/** The stack's settings while `use` runs, with `change` made in them; afterwards they are as before. */
export async function withSettings<T>(
  { stack }: Bench,
  change: (settings: Settings) => void,
  use: () => Promise<T>,
): Promise<T> {
  const file = join(stack.projectDir, `Pulumi.${stack.name}.yaml`);
  const before = await readFile(file, "utf8");
  const settings = parse(before) as { config: Settings };
  const own = Object.entries(settings.config).map(([key, value]) => [
    key.replace("secret-rotation:", ""),
    parsed(value),
  ]);
  const changed = Object.fromEntries(own) as Settings;
  change(changed);
  settings.config = Object.fromEntries(
    Object.entries(changed).map(([key, value]) => [`secret-rotation:${key}`, value]),
  );
  await writeFile(file, JSON.stringify(settings, null, 2));
  try {
    return await use();
  } finally {
    await writeFile(file, before);
  }
}

/** What `pulumi config set` wrote is JSON in a text. */
function parsed(value: unknown): unknown {
  return typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) : value;
}

/** The first secret of some settings. */
export const secretOf = (settings: Settings) => (settings.secrets as [Settings])[0];

/** The database of a secret in some settings. */
export const databaseOf = (settings: Settings) => secretOf(settings).database as Settings;

/** All that a refused update must leave as it is. */
export async function platformOf(bench: Bench): Promise<Record<string, unknown>> {
  const { lab } = bench;
  const roles = await lab.postgres.query(
    "SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname LIKE 'trader%' ORDER BY rolname",
  );
  const log = await lab.postgres.query("SELECT to_regclass('secret_rotation_log') IS NOT NULL AS made");
  const rows = log.rows[0].made
    ? await lab.postgres.query("SELECT count(*)::int AS rows FROM secret_rotation_log")
    : log;
  return {
    roles: roles.rows,
    password: await lab.store.get("database/password"),
    username: await lab.store.get("database/username"),
    restarts: lab.hosts.map(({ restarts }) => restarts.length),
    rows: rows.rows[0].rows ?? 0,
    state: await stateOf(bench),
  };
}

/** Something that is wrong on the platform or in the settings, and what must be said about it. */
export interface Fault {
  /** Changes the settings. */
  readonly settings?: (settings: Settings, bench: Bench) => void;
  /** Breaks something on the platform; what it returns fixes it. */
  readonly breaks?: (bench: Bench) => Promise<() => Promise<unknown>>;
  /** The environment of the run, where it is wrong. */
  readonly env?: (bench: Bench) => Record<string, string>;
  /** What must be said; in the order in which it is. */
  readonly says: readonly (string | RegExp)[];
}

/** An update with the fault: refused with the message, and nothing changed. Returns what was printed. */
export const expectRefusal = (bench: Bench, fault: Fault): Promise<string> =>
  expectToSay(bench, fault, () => refusedUp(bench, fault.env?.(bench)));

/**
 * The preflight of a rotation with the fault, in this process and with the input of `rotation preflight`, which is that of
 * an update (`preflight-same.test.ts`): it says the message, and touches nothing.
 */
export const expectPreflightRefusal = (bench: Bench, fault: Fault): Promise<string> =>
  expectToSay(bench, fault, async () => {
    const { stack } = bench;
    const env = { ...process.env, ...stack.env, ...fault.env?.(bench) };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    try {
      const [result] = await preflight(openProject(stack.projectDir, stack.name, env), [], "rotation");
      return failureOf({ secretName: result?.secret ?? "" }, result?.checks ?? []) ?? "";
    } finally {
      vi.unstubAllEnvs();
    }
  });

async function expectToSay(bench: Bench, fault: Fault, act: () => Promise<string>): Promise<string> {
  const before = await platformOf(bench);
  const mend = (await fault.breaks?.(bench)) ?? (async () => undefined);
  let printed: string;
  try {
    printed = await withSettings(bench, (settings) => fault.settings?.(settings, bench), act);
  } finally {
    await mend();
  }
  if (process.env.SHOW) console.log(printed);
  for (const text of fault.says) expect(printed).toMatch(typeof text === "string" ? escaped(text) : text);
  expectReadable(printed);
  expect(await platformOf(bench)).toEqual(before);
  return printed;
}

const escaped = (text: string) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));

/** Made for people: no stack trace, no file of the bundle, no object printed by Node.js. */
export function expectReadable(printed: string): void {
  expect(printed).not.toMatch(/^\s+at .*\d+:\d+\)?$/m);
  expect(printed).not.toMatch(/node:internal|\[cause\]|UnhandledPromise|undefined|\[object/);
}

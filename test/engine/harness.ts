import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { codeOf } from "../../core/errors";
import type { SecretState } from "../../core/state";
import { clockAt, type DeployOptions, deployStack } from "../../dev/lab/deploy";
import { type Lab, type LabOptions, startLab } from "../../dev/lab/lab";
import { DEFAULT_SERVICES } from "../../dev/lab/platform";
import type { PulumiResult, Stack } from "../../dev/lab/stack";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import { markedSecret } from "../unit/leaks/marked";
import { huntOnStop } from "./leaks/hunt-on-stop";

/** A lab with a stack of the real program on it. */
export interface Bench {
  readonly lab: Lab;
  readonly stack: Stack;
}

export interface BenchOptions extends Omit<DeployOptions, "lab" | "tools"> {
  /** Where only passwords rotate, `services` are by default those that use a database. */
  readonly labOptions?: Omit<LabOptions, "openbao">;
  /** Whether everything is searched for credentials before the lab stops. By default where `LEAKS=1` (`npm run test:leaks`). */
  readonly huntLeaks?: boolean;
}

/** What an update prints that changes nothing. */
export const UNCHANGED = /Resources:\n\s+\d+ unchanged/;

const PASSWORD_READERS = DEFAULT_SERVICES.filter(({ database }) => database !== undefined);

/** Starts lab and stack; the caller stops the lab, which fails where a credential was left anywhere. */
export async function startBench({
  labOptions,
  huntLeaks = process.env.LEAKS === "1",
  ...deploy
}: BenchOptions = {}): Promise<Bench> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao", "moto"] });
  const openbao = tools.openbao?.path;
  if (openbao === undefined) throw new Error("the toolchain has no OpenBao");
  const moto = labOptions?.store === "aws" ? { moto: tools.moto?.path } : {};
  const readers = (deploy.rotates ?? "passwords") === "passwords" ? PASSWORD_READERS : DEFAULT_SERVICES;
  const services = labOptions?.services ?? readers;
  const lab = await startLab({ secret: markedSecret, ...labOptions, services, ...moto, openbao });
  try {
    const bench = { lab, stack: await deployStack({ lab, tools, ...deploy }) };
    return huntLeaks ? huntOnStop(bench) : bench;
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

/** One bench for all tests of a file, stopped afterwards, also when a test fails. */
export function useBench(options: BenchOptions = {}): () => Bench {
  let bench: Bench | undefined;
  beforeAll(async () => {
    bench = await startBench(options);
  });
  afterAll(async () => {
    await bench?.lab.stop();
  });
  return () => {
    if (bench === undefined) throw new Error("the bench did not start");
    return bench;
  };
}

/** `pulumi up` that must succeed. */
export async function up({ stack }: Pick<Bench, "stack">, ...args: string[]): Promise<PulumiResult> {
  const result = await stack.pulumi(["up", "--yes", "--skip-preview", ...args]);
  expect(result.exitCode, result.stdout + result.stderr).toBe(0);
  return result;
}

/** `pulumi up` that must be refused; returns all that it printed. */
export async function refusedUp({ stack }: Pick<Bench, "stack">, env?: Record<string, string>): Promise<string> {
  const result = await stack.pulumi(["up", "--yes", "--skip-preview"], env === undefined ? {} : { env });
  expect(result.exitCode, result.stdout).not.toBe(0);
  return result.stdout + result.stderr;
}

/** Moves the lab's calendar to so many days after its start. */
export const setDay = ({ stack }: Pick<Bench, "stack">, days: number) => stack.configure("lab", clockAt(days));

/** Puts a request for the database password into the config. */
export const setRequest = (
  { stack }: Bench,
  request: {
    id: string;
    rotate?: true;
    activate?: number;
    adopt?: true;
    force?: true;
    reason?: string;
    emergency?: true;
  },
) => stack.configure("request", { secret: "database/password", reason: "a test", ...request });

interface Checkpoint {
  readonly checkpoint: {
    readonly latest?: { readonly resources?: { readonly type: string; readonly outputs?: Record<string, unknown> }[] };
  };
}

/** Where the stack's state is. */
export const stateFile = ({ stack }: Bench): string =>
  join(stack.stateDir, ".pulumi", "stacks", "secret-rotation", `${stack.name}.json`);

/** The state of a secret as the stack's outputs have it; undefined before the first finished update. */
export async function stateOf(bench: Bench, secret = "database/password"): Promise<SecretState | undefined> {
  const text = await readFile(stateFile(bench), "utf8");
  const resources = (JSON.parse(text) as Checkpoint).checkpoint.latest?.resources ?? [];
  const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs as
    | { secrets?: Record<string, { state?: SecretState }> }
    | undefined;
  return outputs?.secrets?.[secret]?.state;
}

/** Rows of `secret_rotation_log`, oldest first. */
export async function auditRows({ lab }: { lab: Pick<Lab, "postgres"> }): Promise<Record<string, unknown>[]> {
  return (await lab.postgres.query("SELECT * FROM secret_rotation_log ORDER BY id")).rows;
}

/** The password (or another value) that the store holds, and its version. */
export async function stored<V = number>({ lab }: Bench, path: string): Promise<{ value: string; version: V }> {
  const found = await lab.store.get(path);
  if (found === undefined) throw new Error(`nothing at ${path}`);
  return { value: found.value, version: found.version as V };
}

/** Whether a login with this credential works, by really trying; resolves with the SQLSTATE where it is refused. */
export async function login(
  { lab }: Bench,
  user: string,
  password: string,
  database = "trader",
): Promise<"ok" | string> {
  try {
    await lab.postgres.session((client) => client.query("SELECT 1"), { user, password, database });
    return "ok";
  } catch (error) {
    return String(codeOf(error));
  }
}

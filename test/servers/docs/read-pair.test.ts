import { dirname, join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { readPair as readAws } from "../../../docs/examples/read-pair-aws";
import { readPair as readVault } from "../../../docs/examples/read-pair-vault";
import type { StoreClient } from "../../../stores/store";
import { writeEntry } from "../../../stores/write-entry";
import { motoPath } from "../lab/tools";
import { awsStore, setEnv, useMoto, useOpenBao, vaultStore, wish } from "../steps/store-support";

const [USER, PASSWORD] = ["database/username", "database/password"];
const EXAMPLES = join(projectRoot(), "docs", "examples");
const bao = useOpenBao();
const moto = useMoto();

/** Writes one generation as a rotation does: the user name, then the password. */
async function write(client: StoreClient, generation: number): Promise<void> {
  const pair = { generation, slot: generation % 2 === 0 ? 0 : 1 } as const;
  for (const path of [USER, PASSWORD])
    await writeEntry(client, wish(path, `${path}-${generation}`, [], { pair, force: true }));
}

/** Rotates until each reader has read so many pairs; how many of their reads met a half-written pair is up to chance. */
async function rotateUntil(client: StoreClient, isDone: () => boolean): Promise<number> {
  for (let generation = 2; ; generation++) {
    if (isDone()) return generation;
    await write(client, generation);
  }
}

const generationOf = (value: string | undefined) => Number(/\d+$/.exec(value ?? "")?.[0]);

/** AWS's labels name the slot, and so one of two users; Vault's mark is the generation itself. */
const assertPair = ([user, password]: readonly string[], store: "vault" | "aws") => {
  const marks = [user, password].map((value) => (store === "aws" ? generationOf(value) % 2 : generationOf(value)));
  expect(marks[0]).toBe(marks[1]);
  expect(user).toContain(USER);
};

/** The example in Python as a process of its own, which prints each pair that it reads. */
function python(bin: string, module: string, names: readonly string[], env: Record<string, string>) {
  const program = [
    "import json, sys",
    `from ${module} import read_pair`,
    "while True: print(json.dumps(read_pair(*sys.argv[1:])), flush=True)",
  ].join("\n");
  const running = execa(bin, ["-c", program, ...names], {
    cwd: EXAMPLES,
    env,
    reject: false,
    buffer: false,
    stderr: "inherit",
  });
  const seen: string[][] = [];
  let failure: unknown;
  const reading = (async () => {
    for await (const line of running.iterable()) seen.push(JSON.parse(line) as string[]);
  })().catch((error: unknown) => {
    failure = error;
  });
  const stop = async () => {
    running.kill();
    await reading;
  };
  const last = () => {
    if (failure !== undefined) throw failure;
    return generationOf(seen.at(-1)?.[1] ?? "0");
  };
  return { seen, last, stop };
}

it.each(["vault", "aws"] as const)(
  "both readers of the docs see whole pairs alone while %s is written",
  async (store) => {
    const names = [USER, PASSWORD].map((path) => `paper/${path}`);
    const bin = store === "aws" ? join(dirname(await motoPath()), "python") : "python3";
    const client = store === "aws" ? awsStore(moto()) : vaultStore(bao().address, bao().rootToken);
    const env: Record<string, string> = {
      ...(store === "aws" ? moto().env : { VAULT_ADDR: bao().address, VAULT_TOKEN: bao().rootToken }),
      // Python's SDK reads the region from another variable than the others.
      AWS_DEFAULT_REGION: moto().region,
      PYTHONDONTWRITEBYTECODE: "1",
    };
    setEnv(env);
    if (store === "aws") for (const name of names) await moto().secrets.createSecret({ Name: name });
    await write(client, 1);

    const outside = python(bin, `read_pair_${store}`, names, env);
    const inside: string[][] = [];
    let isReading = true;
    const reading = (async () => {
      while (isReading) inside.push(await (store === "aws" ? readAws(names, moto().secrets) : readVault(...names)));
    })();
    try {
      const last = (pairs: readonly string[][]) => generationOf(pairs.at(-1)?.[1] ?? "0");
      const rotations = await rotateUntil(client, () => last(inside) >= 10 && outside.last() >= 10);
      expect(rotations).toBeGreaterThan(10);
    } finally {
      isReading = false;
      await Promise.all([reading, outside.stop()]);
    }
    for (const pair of [...inside, ...outside.seen]) assertPair(pair, store);
  },
);

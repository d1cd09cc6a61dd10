import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exposure } from "../../../dev/lab/load";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import type { SecretReader } from "../../../dev/lab/services/secret-reader";
import { readPair, vaultReader } from "../../../dev/lab/services/store";
import { testFolder } from "./folder";
import { openBaoPath } from "./tools";

let folder: Awaited<ReturnType<typeof testFolder>>;
let bao: OpenBao;
let reader: SecretReader;
const paths = ["paper/alpaca/api_key_id", "paper/alpaca/api_secret_key"] as const;

beforeAll(async () => {
  folder = await testFolder();
  bao = await startOpenBao({ dir: folder.dir, bin: await openBaoPath() });
  reader = vaultReader({ kind: "vault", address: bao.address, token: bao.rootToken, mount: bao.mount });
});
afterAll(async () => {
  await bao?.stop();
  await folder?.remove();
});

async function write(generation: number, marked: boolean): Promise<void> {
  for (const path of paths) {
    await bao.putSecret(path, { value: `v${generation}`, ...(marked && { generation: String(generation) }) });
  }
}

test("readers never mix a pair that is written at the same time", async () => {
  await write(0, true);
  let writing = true;
  const readers = Array.from({ length: 4 }, async () => {
    let read = 0;
    for (; writing; read++) {
      const [id, secret] = await readPair(reader, paths);
      expect(id.value).toBe(secret.value);
    }
    return read;
  });
  for (let generation = 1; generation <= 40; generation++) await write(generation, true);
  writing = false;
  expect((await Promise.all(readers)).every((read) => read > 0)).toBe(true);
});

test("a pair written by hand needs no generation; one half of another generation is refused", async () => {
  await write(50, false);
  expect((await readPair(reader, paths)).map(({ value }) => value)).toEqual(["v50", "v50"]);
  await bao.putSecret(paths[0], { value: "v51", generation: "51" });
  expect((await readPair(reader, paths, 100)).map(({ value }) => value)).toEqual(["v51", "v50"]);
  await bao.putSecret(paths[1], { value: "v52", generation: "52" });
  await expect(readPair(reader, paths, 100)).rejects.toThrow(/did not belong together for 100 ms/);
});

test("names what is missing or not readable", async () => {
  await expect(readPair(reader, ["paper/no/such", paths[1]])).rejects.toThrow("expected a secret at paper/no/such");
  await bao.putSecret("paper/odd", { other: "x" });
  await expect(reader.read("paper/odd")).rejects.toThrow('expected a field "value" at secret/paper/odd');
  const stranger = vaultReader({ kind: "vault", address: bao.address, token: "wrong", mount: bao.mount });
  await expect(stranger.read(paths[0])).rejects.toThrow("HTTP 403");
});

test("exposure spans the failures, in whatever order", () => {
  expect(exposure([])).toBe(0);
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1 }), (times) => {
      const seconds = exposure(times.map((t) => ({ t })));
      expect(seconds).toBeCloseTo((Math.max(...times) - Math.min(...times)) / 1000);
    }),
  );
});

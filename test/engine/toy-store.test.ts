import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { labConfig } from "../../dev/lab/deploy";
import { fine, json, rotation, setClock } from "./cli-support";
import { auditRows, type Bench, login, setDay, setRequest, startBench, stateOf, UNCHANGED, up } from "./harness";
import { type ToyProject, toyProject } from "./toy-project";

const SECRET = "database/password";

interface Held {
  readonly value: string;
  readonly version: number;
  readonly marks?: Readonly<Record<string, string>>;
}

/** A service that reads its login from the files at each restart, and keeps one session open. */
async function startReader(held: (path: string) => Held | undefined, reach: pg.ClientConfig) {
  let session: pg.Client | undefined;
  const restart = async () => {
    await session?.end();
    const [user = "trader", password] = ["database/username", SECRET].map((path) => held(path)?.value);
    session = new pg.Client({ ...reach, user, password, application_name: "reader" });
    await session.connect();
  };
  const server: Server = createServer(async (request, response) => {
    try {
      if (request.url === "/restart") await restart();
      await session?.query("SELECT 1");
      response.end(JSON.stringify({ status: "healthy" }));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await restart();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      await session?.end();
      server.close();
    },
  };
}

describe("a store is one folder and a line in each registry", () => {
  const folder = mkdtempSync(join(tmpdir(), "toy-store-"));
  const fileOf = (path: string) => join(folder, "paper", `${path}.json`);
  const held = (path: string): Held | undefined => {
    try {
      return JSON.parse(readFileSync(fileOf(path), "utf8")) as Held;
    } catch {
      return undefined;
    }
  };
  const seed = (path: string, value: string) => {
    mkdirSync(dirname(fileOf(path)), { recursive: true });
    writeFileSync(fileOf(path), JSON.stringify({ value, version: 1, writtenAt: new Date().toISOString() }));
  };
  let project: ToyProject;
  let bench: Bench;
  let reader: Awaited<ReturnType<typeof startReader>>;

  beforeAll(async () => {
    [project, bench] = await Promise.all([
      toyProject({
        fixture: "toy-store",
        folder: "stores/toy",
        registrations: [
          { file: "stores/schemas.ts", list: "SCHEMAS", name: "toySchema", from: "./toy/schema" },
          { file: "stores/index.ts", list: "STORES", name: "toy", from: "./toy" },
        ],
      }),
      startBench({ labOptions: { services: [] }, config: { store: { kind: "toy", folder } } }),
    ]);
    const { lab, stack } = bench;
    await project.runs(stack);
    const { keyId, secretKey } = lab.adoptedAlpaca;
    seed(SECRET, lab.adopted[SECRET] ?? "");
    seed("alpaca/api_key_id", keyId);
    seed("alpaca/api_secret_key", secretKey);
    const { host, port } = lab.postgres;
    reader = await startReader(held, { host, port, database: "trader" });
    const { secrets } = labConfig({ lab }) as { secrets: object[] };
    await stack.configure("hosts", undefined);
    await stack.configure("services", {
      reader: { health: `${reader.url}/health`, restart: `curl -fsS ${reader.url}/restart` },
    });
    await stack.configure("secrets", [{ ...secrets[0], restart: ["reader"] }]);
  });
  afterAll(async () => {
    await reader?.stop();
    await bench?.lab.stop();
    project?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it("its keys are checked with all others, and named if they are wrong", async () => {
    const { stack } = bench;
    await stack.configure("store", { kind: "toy", folder, mount: "secret" });
    const { stdout, stderr } = await stack.pulumi(["preview"]);
    expect(stdout + stderr).toContain("secret-rotation:store.mount: unknown key; expected one of kind, folder");
    await stack.configure("store", { kind: "toys", folder });
    expect((await rotation(bench, ["status"])).stderr).toContain("store.kind: expected one of toy, vault, aws");
    await stack.configure("store", { kind: "toy", folder });
  });

  it("preview, update, rotation and rollback by plain `pulumi`", async () => {
    const { stack } = bench;
    const preview = await stack.pulumi(["preview"]);
    expect(preview.exitCode, preview.stdout + preview.stderr).toBe(0);
    await up(bench);
    const first = held(SECRET);
    expect(first).toMatchObject({ version: 2, marks: { status: "active" } });
    expect(held("database/username")).toMatchObject({ value: "trader_b", version: 1 });
    expect(statSync(fileOf(SECRET)).mode & 0o777).toBe(0o600);
    expect(await login(bench, "trader_b", first?.value ?? "")).toBe("ok");

    await setDay(bench, 89);
    expect((await stack.pulumi(["preview", "--diff"])).stdout).toContain('~ generation: "0" => "2"');
    await up(bench);
    const second = held(SECRET);
    expect(second?.version).toBe(3);
    expect(await login(bench, "trader_a", second?.value ?? "")).toBe("ok");
    expect((await up(bench)).stdout).toMatch(UNCHANGED);

    await setRequest(bench, { id: "back", activate: 1 });
    await up(bench);
    expect(held(SECRET)).toMatchObject({ value: first?.value, version: 4 });
    expect(await stateOf(bench)).toMatchObject({ slots: [2, 1], active: 1, step: { action: "ROLLBACK" } });
    expect((await auditRows(bench)).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK"]);
  });

  it("status, validate, diagnose and report tell of it", async () => {
    expect(await fine(bench, ["status"])).toMatch(/alternating-users, toy, /);
    const [validation] = await json<Validation[]>(bench, ["validate"]);
    expect(validation?.points.filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
    expect(validation?.points[0]?.evidence).toContain("database/password version 4");
    expect(await fine(bench, ["diagnose"])).toContain("No problem found");
    expect(JSON.parse(await fine(bench, ["report", "--json"]))).toMatchObject({ secrets: [{ store: "toy" }] });
  });

  it("an external write is found, refused by an update, and overwritten by `diagnose --fix`", async () => {
    const ours = held(SECRET);
    writeFileSync(fileOf(SECRET), JSON.stringify({ ...ours, value: "by hand", version: 5 }));
    const found = await rotation(bench, ["diagnose", "--json"]);
    expect([found.exitCode, found.stdout]).toEqual([1, expect.stringContaining("version 5")]);
    await setClock(bench, 180);
    const refused = await bench.stack.pulumi(["up", "--yes", "--skip-preview"]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain("is not what this stack wrote");
    await fine(bench, ["diagnose", "--fix", "--yes"]);
    expect(held(SECRET)).toMatchObject({ value: ours?.value, version: 6 });
  });
});

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import { build } from "esbuild";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { poll } from "../../../dev/lab/poll";
import { whenGone } from "../../../dev/toolchain/plugins/engine-health";
import { offlinePackages, offlineVersions } from "../../../dev/toolchain/plugins/packages";
import { service } from "../../../dev/toolchain/plugins/protocol";
import { EngineClient } from "../../unit/contract/client";

let folder: string;

beforeAll(async () => {
  const modules = join(__dirname, "..", "..", "..", "node_modules");
  await mkdir(modules, { recursive: true });
  // Inside the checkout, because the protocol's messages are found from there.
  folder = await mkdtemp(join(modules, ".contract-test-"));
  await build({
    entryPoints: [join(__dirname, "..", "..", "..", "dev", "toolchain", "plugins", "main.ts")],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    external: ["@pulumi/*", "cpu-features", "pg-native", "*.node"],
    // As in build.mjs.
    define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Running {
  child: ChildProcess;
  client: EngineClient;
  exited: Promise<unknown>;
}

/** A plugin as the engine starts it: the engine's address as its argument, and a pipe to its standard input. */
async function start(name: string, engineAddress = "127.0.0.1:1"): Promise<Running> {
  const child = spawn(process.execPath, [join(folder, "main.mjs"), name, engineAddress], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const client = new EngineClient(Number(line.toString().trim()));
  onTestFinished(() => client.close());
  return { child, client, exited };
}

test.each(offlinePackages)("%s says its version, lives on without an engine, and ends at SIGINT", async (name) => {
  const { child, client, exited } = await start(name);
  const info = await client.unary(service.getPluginInfo, new empty.Empty());
  expect(info.getVersion()).toBe(offlineVersions[name]);
  const { response } = await client.ask({ method: "CheckConfig", request: { news: {} } });
  expect(response).toHaveProperty("inputs");
  // An engine that was killed closes its end of the pipe; real plugins do not look at it.
  child.stdin?.end();
  expect((await client.unary(service.getPluginInfo, new empty.Empty())).getVersion()).toBe(offlineVersions[name]);
  child.kill("SIGINT");
  expect(await exited).toEqual([0, null]);
});

test("--version is a flag of the plugins made from Terraform providers alone", async () => {
  for (const name of offlinePackages) {
    const asked = promisify(execFile)(process.execPath, [join(folder, "main.mjs"), name, "--version"]);
    if (name === "command")
      await expect(asked).rejects.toMatchObject({ code: 2, stderr: "flag provided but not defined: -version\n" });
    else expect((await asked).stdout).toBe(`${offlineVersions[name]}\n`);
  }
});

test("an engine is looked for again and again, and missed when nobody listens there", async () => {
  const server = new Server();
  let asked = 0;
  const check = { path: "/grpc.health.v1.Health/Check", requestStream: false, responseStream: false } as const;
  const bytes = { requestSerialize: Buffer.from, requestDeserialize: Buffer.from };
  const answer = { responseSerialize: Buffer.from, responseDeserialize: Buffer.from };
  server.addService(
    { check: { ...check, ...bytes, ...answer } },
    {
      // Pulumi's engine knows no such method.
      check: (_call: unknown, callback: (error: { code: number }) => void) => {
        asked += 1;
        callback({ code: status.UNIMPLEMENTED });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  let gone = false;
  const missed = whenGone(`127.0.0.1:${port}`, 5).then(() => (gone = true));
  await poll(() => asked > 2, { what: "three questions", limitMs: 60_000 });
  expect(gone).toBe(false);
  server.forceShutdown();
  await missed;
});

test.each([
  ["random", "Create", "random:index/randomPassword:RandomPassword", { properties: { length: 24 } }, undefined],
  ["command", "Create", "command:local:Command", { properties: { create: "exit 7" } }, "exit status 7"],
  ["postgresql", "Read", "postgresql:index/role:Role", { id: "x" }, "error connecting to PostgreSQL server"],
  ["aws", "Read", "aws:secretsmanager/secret:Secret", { id: "x" }, "ECONNREFUSED"],
  ["vault", "Read", "vault:index/mount:Mount", { id: "x" }, "GET http://127.0.0.1:1/v1/sys/mounts"],
] as const)("%s has the driver that it loads when needed", async (name, method, type, request, expected) => {
  const { client } = await start(name);
  const config = {
    host: "127.0.0.1",
    port: "1",
    sslmode: "disable",
    address: "http://127.0.0.1:1",
    token: "t",
    maxRetries: "0",
    region: "us-east-1",
    endpoints: JSON.stringify([{ secretsmanager: "http://127.0.0.1:1" }]),
    accessKey: "a",
    secretKey: "s",
  };
  await client.ask({ method: "Configure", request: { args: config } });
  const { errors } = await client.ask({ method, request: { ...request, type, name: "it" } });
  expect(errors?.[0]).toEqual(expected && expect.stringContaining(expected));
});

test("an unknown package is refused with those there are", async () => {
  const child = spawn(process.execPath, [join(folder, "main.mjs"), "azure"], { stdio: ["ignore", "ignore", "pipe"] });
  const [[text], [code]] = await Promise.all([once(child.stderr, "data"), once(child, "exit")]);
  expect([String(text), code]).toEqual([
    "expected a package (random, command, postgresql, vault, aws), found azure\n",
    2,
  ]);
});

test("when the engine says farewell, what is under way is finished before the plugin ends", async () => {
  const { child, client, exited } = await start("command");
  const [begun, done] = [join(folder, "begun"), join(folder, "done")];
  const create = `echo > ${begun}; while [ ! -e ${join(folder, "go")} ]; do sleep 0.05; done; echo finished > ${done}`;
  const request = { type: "command:local:Command", name: "slow", properties: { create } };
  void client.ask({ method: "Create", request }).catch(() => undefined);
  await poll(async () => (await readFile(begun, "utf8")) !== undefined, { what: "the command", limitMs: 60_000 });
  client.close();
  child.kill("SIGINT");
  await writeFile(join(folder, "go"), "");
  expect(await exited).toEqual([0, null]);
  expect(await readFile(done, "utf8")).toBe("finished\n");
});

test("a command's output reaches the engine line by line, as far as logging lets it", async () => {
  const lines: string[] = [];
  const server = new Server();
  const log = {
    path: "/pulumirpc.Engine/Log",
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: InstanceType<typeof engine.LogRequest>) => Buffer.from(message.serializeBinary()),
    requestDeserialize: (bytes: Buffer) => engine.LogRequest.deserializeBinary(bytes),
    responseSerialize: (message: InstanceType<typeof empty.Empty>) => Buffer.from(message.serializeBinary()),
    responseDeserialize: (bytes: Buffer) => empty.Empty.deserializeBinary(bytes),
  };
  server.addService(
    { log },
    {
      log: (
        call: { request: InstanceType<typeof engine.LogRequest> },
        callback: (error: null, answer: unknown) => void,
      ) => {
        lines.push(`${call.request.getUrn()}: ${call.request.getMessage()}`);
        callback(null, new empty.Empty());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  const { client } = await start("command", `127.0.0.1:${port}`);
  const create = "echo one; echo two; echo three >&2";
  for (const logging of ["none", "stderr", "stdout"]) {
    const request = { urn: "urn:it", type: "command:local:Command", name: "it", properties: { create, logging } };
    await client.ask({ method: "Create", request });
    lines.push(logging);
  }
  expect(lines).toEqual(["none", "urn:it: three", "stderr", "urn:it: one", "urn:it: two", "stdout"]);
});

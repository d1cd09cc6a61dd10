import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askHealth } from "../../../clients/probe";
import { type RunScript, shellHere } from "../../../clients/shell";
import { UnreachableError } from "../../../clients/ssh";
import { restartAndWait } from "../../../components/restart/restart";
import type { HealthProbe, HealthRule } from "../../../core/health";

const NEXT = "Fix it (see its log) and run this again, which continues here; or roll back.";
const DEFAULT: HealthRule = { status: [], field: "status", equals: ["healthy"], text: null };
const EXPECTED = "expected HTTP 2xx with `status` healthy";

let server: Server;
let url: string;
let answer: string | Buffer | (() => string) = '{"status": "healthy"}';
let status = 200;

beforeAll(async () => {
  server = createServer((_, response) =>
    response.writeHead(status, { location: "/elsewhere" }).end(typeof answer === "function" ? answer() : answer),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const http = (rule: HealthRule = DEFAULT): HealthProbe => ({ kind: "http", url, rule });
const outcome = (command: string, timeout = 3000, probe = http(), run: RunScript = shellHere()) =>
  restartAndWait({ service: "report", place: "app-1", command, probe, timeout }, run).then(
    (text) => ({ ok: true, text }),
    (error: Error) => ({ ok: false, text: error.message }),
  );

describe("a restart, by a real shell against a real server", () => {
  it("says that the service is healthy", async () => {
    answer = '{"status": "healthy"}';
    expect(await outcome("true")).toEqual({ ok: true, text: "report on app-1 is healthy" });
  });

  it("runs every part of a command, and fails with the last and what it said", async () => {
    expect(await outcome("true && exit 7")).toEqual({
      ok: false,
      text: `report on app-1 could not be restarted (exit status 7). ${NEXT}`,
    });
    expect(await outcome("echo 'Interactive authentication required.' >&2; exit 1")).toEqual({
      ok: false,
      text: `report on app-1 could not be restarted (exit status 1); it said: Interactive authentication required.. ${NEXT}`,
    });
    expect(await outcome("test 'a b' = 'a b' && true")).toMatchObject({ ok: true });
  });

  it("ends a restart that hangs", async () => {
    expect(await outcome("sleep 30", 1000)).toEqual({
      ok: false,
      text: `report on app-1 was not restarted within 1 s. ${NEXT}`,
    });
  });

  it("stops with the last answer of a service that stays unhealthy, and with what was expected", async () => {
    answer = '{"status": "starting", "error": "no login"}';
    expect(await outcome("true", 1000)).toEqual({
      ok: false,
      text: `report on app-1 was restarted but is not healthy after 1 s; its last answer: ${answer} (HTTP 200); ${EXPECTED}, found HTTP 200 with \`status\` starting (set by services.report.healthy). ${NEXT}`,
    });
  });

  it("takes no error for healthy, and nothing for healthy because a part of it is", async () => {
    answer = '{"status":"unhealthy","checks":{"broker":{"status":"healthy"}}}';
    for (const code of [200, 503]) {
      status = code;
      expect((await outcome("true", 1000)).text).toContain(`found HTTP ${code} with \`status\` unhealthy`);
    }
    answer = '{"status":"healthy"}';
    expect((await outcome("true", 1000)).text).toContain("found HTTP 503 with `status` healthy");
    status = 302;
    expect((await outcome("true", 1000)).text).toContain("a redirect, which is not followed");
    status = 200;
  });

  it("takes what the config calls healthy", async () => {
    answer = '{"status":"UP"}';
    expect(await outcome("true", 3000, http({ ...DEFAULT, equals: ["UP"] }))).toMatchObject({ ok: true });
    answer = "OK\n";
    expect(await outcome("true", 3000, http({ ...DEFAULT, field: null, text: ["OK"] }))).toMatchObject({ ok: true });
  });

  it("takes no page for healthy", async () => {
    answer = "<html><body>It works!</body></html>";
    expect((await outcome("true", 1000)).text).toContain(`its last answer: ${answer} (HTTP 200)`);
  });

  it("takes no service that flaps for healthy, and says that it flaps", async () => {
    let asked = 0;
    answer = () => `{"status":"${asked++ % 3 === 0 ? "unhealthy" : "healthy"}"}`;
    expect((await outcome("true", 2000)).text).toContain("It was healthy in between, never 3 times in a row. ");
  });

  it("notices that a restart left the old process in place, by the outermost `started_at` alone", async () => {
    answer = '{"status": "healthy", "started_at": "2026-11-23T02:00:00Z"}';
    expect((await outcome("true", 1000)).text).toContain(
      "report on app-1 still runs as the process that was started at 2026-11-23T02:00:00Z: the restart command restarted nothing",
    );
    let asked = 0;
    answer = () => `{"status": "healthy", "started_at": "2026-11-23T02:00:0${Math.min(1, asked++)}Z"}`;
    expect(await outcome("true")).toMatchObject({ ok: true });
    answer = '{"status": "healthy", "worker": {"started_at": "2026-11-23T02:00:00Z"}}';
    expect(await outcome("true")).toMatchObject({ ok: true });
  });

  it("goes on if the connection breaks between two questions", async () => {
    answer = '{"status":"healthy"}';
    const here = shellHere();
    let asked = 0;
    const breaking: RunScript = (script, limit) => {
      if (script.includes("curl") && ++asked === 3) throw new UnreachableError("deploy@app-1: the connection broke");
      return here(script, limit);
    };
    expect(await outcome("true", 5000, http(), async (script, limit) => breaking(script, limit))).toMatchObject({
      ok: true,
    });
    const gone: RunScript = async (script, limit) => {
      if (script.includes("curl") && ++asked > 100) throw new UnreachableError("deploy@app-1 cannot be reached");
      if (script.startsWith("timeout")) asked = 100;
      return here(script, limit);
    };
    expect((await outcome("true", 1000, http(), gone)).text).toContain(
      "its last answer: deploy@app-1 cannot be reached; expected an answer, found none",
    );
  });
});

describe("the question for a service's health", () => {
  const ask = async (probe: HealthProbe, seconds = 5) => (await askHealth([probe], shellHere(), seconds))[0];

  it("reads any answer as it is: packed, binary, without an end of line, with one's own marks in it", async () => {
    answer = gzipSync('{"status":"healthy"}');
    expect(await ask(http())).toMatchObject({ healthy: true });
    answer = Buffer.from([0, 1, 2, 0xff]);
    expect(await ask(http())).toMatchObject({ healthy: false });
    answer = 'health,200,,\n200\n{"status":"healthy"}';
    expect(await ask(http())).toMatchObject({ healthy: false });
    answer = "";
    expect(await ask(http())).toMatchObject({ answer: "(an empty body) (HTTP 200)" });
  });

  it("ends with an answer without an end, and with one that never comes", async () => {
    answer = `{"status":"healthy","more":"${"x".repeat(2 ** 20)}"}`;
    expect(await ask(http())).toMatchObject({
      healthy: false,
      answer: expect.stringContaining("its answer is longer than 256 KiB"),
    });
    const silent = createTcpServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    expect(await ask({ kind: "http", url: `http://127.0.0.1:${port}/`, rule: DEFAULT }, 1)).toMatchObject({
      healthy: false,
      answer: expect.stringMatching(/timed out/),
    });
    expect(await ask({ kind: "tcp", host: "127.0.0.1", port })).toMatchObject({ healthy: true });
    await new Promise((resolve) => silent.close(resolve));
    expect(await ask({ kind: "tcp", host: "127.0.0.1", port })).toMatchObject({
      healthy: false,
      why: expect.stringMatching(/^expected 127\.0\.0\.1:\d+ to take connections, found .*refused/s),
    });
  });

  it("runs a command", async () => {
    expect(await ask({ kind: "command", command: "exit 0" })).toMatchObject({ healthy: true, answer: "ok" });
    expect(await ask({ kind: "command", command: 'echo "it\'s down"; exit 3' })).toEqual({
      healthy: false,
      why: 'expected `echo "it\'s down"; exit 3` to end with status 0, found 3',
      answer: "it's down",
    });
    expect(await ask({ kind: "command", command: "sleep 60" }, 1)).toMatchObject({ healthy: false });
  });

  it("keeps the answers of many apart", async () => {
    answer = '{"status":"healthy"}';
    const probes = Array.from(
      { length: 40 },
      (_, index): HealthProbe => (index % 2 === 0 ? http() : { kind: "command", command: `exit ${index}` }),
    );
    const verdicts = await askHealth(probes, shellHere());
    expect(verdicts.map(({ healthy }) => healthy)).toEqual(probes.map((_, index) => index % 2 === 0));
  });

  it("says so if there is nothing to ask with", async () => {
    await expect(askHealth([http()], async () => ({ status: 127, output: "mktemp: not found" }))).rejects.toThrow(
      "the services' health could not be queried: mktemp: not found",
    );
  });
});

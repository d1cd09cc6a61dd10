import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restartScript } from "../../components/restart-script";
import type { ServiceConfig } from "../../config";

const run = promisify(execFile);
const NEXT = "Mend it (its log says why) and run this again, which goes on here; or roll back.";

describe("restartScript, run by a real shell against a real server", () => {
  let server: Server;
  let answer: string | (() => string) = '{"status": "healthy"}';
  let status = 200;
  beforeAll(() => {
    server = createServer((_, response) =>
      response.writeHead(status).end(typeof answer === "string" ? answer : answer()),
    );
    return new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const script = (restart: string, timeout = 3000) => {
    const health = `http://{address}:${(server.address() as AddressInfo).port}/health`;
    const service = { hosts: [], health, restart, timeout } as unknown as ServiceConfig;
    return restartScript("report", service, { name: "app-1", address: "127.0.0.1" });
  };
  const outcome = (restart: string, timeout?: number) =>
    run("/bin/sh", ["-c", script(restart, timeout)]).then(
      ({ stdout }) => ({ code: 0, text: stdout.trim() }),
      ({ code, stderr }: { code: number; stderr: string }) => ({ code, text: stderr.trim() }),
    );

  it("says that the service is healthy", async () => {
    answer = '{"status": "healthy"}';
    expect(await outcome("true")).toEqual({ code: 0, text: "report on app-1 is healthy" });
  });

  it("runs every part of a command, and fails with the last", async () => {
    expect(await outcome("true && exit 7")).toEqual({
      code: 1,
      text: `report on app-1 could not be restarted (exit status 7). ${NEXT}`,
    });
    expect(await outcome("test 'a b' = 'a b' && true")).toMatchObject({ code: 0 });
  });

  it("ends a restart that hangs", async () => {
    expect(await outcome("sleep 30", 1000)).toEqual({
      code: 1,
      text: `report on app-1 was not restarted within 1 s. ${NEXT}`,
    });
  });

  it("stops with the last answer of a service that stays unhealthy", async () => {
    answer = '{"status": "starting", "error": "no login"}';
    expect(await outcome("true", 1000)).toEqual({
      code: 1,
      text: `report on app-1 was restarted but is not healthy after 1 s; its last answer: ${answer} (HTTP 200). ${NEXT}`,
    });
  });

  it("takes no error for healthy, however healthy a part of it is", async () => {
    answer = '{"database": {"status": "healthy"}, "status": "degraded"}';
    status = 503;
    const found = await outcome("true", 1000);
    status = 200;
    expect(found.text).toContain(`its last answer: ${answer} (HTTP 503). ${NEXT}`);
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

  it("notices that a restart left the old process in place", async () => {
    answer = '{"status": "healthy", "started_at": "2026-11-23T02:00:00Z"}';
    expect((await outcome("true", 1000)).text).toContain(
      "report on app-1 still runs as the process that was started at 2026-11-23T02:00:00Z: the restart command restarted nothing",
    );
    let asked = 0;
    answer = () => `{"status": "healthy", "started_at": "2026-11-23T02:00:0${Math.min(1, asked++)}Z"}`;
    expect(await outcome("true")).toEqual({ code: 0, text: "report on app-1 is healthy" });
  });
});

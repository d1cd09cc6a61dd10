import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restartScript } from "../../components/restart-script";
import type { ServiceConfig } from "../../config";

const run = promisify(execFile);

describe("restartScript, run by a real shell against a real server", () => {
  let server: Server;
  let answer = '{"status": "healthy"}';
  beforeAll(() => {
    server = createServer((_, response) => response.end(answer));
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
      text: "report on app-1 could not be restarted (exit status 7)",
    });
    expect(await outcome("test 'a b' = 'a b' && true")).toMatchObject({ code: 0 });
  });

  it("ends a restart that hangs", async () => {
    expect(await outcome("sleep 30", 1000)).toEqual({ code: 1, text: "report on app-1 was not restarted within 1 s" });
  });

  it("stops with the last answer of a service that stays unhealthy", async () => {
    answer = '{"status": "starting", "error": "no login"}';
    expect(await outcome("true", 1000)).toEqual({
      code: 1,
      text: `report on app-1 was restarted but is not healthy after 1 s; its last answer: ${answer}`,
    });
  });
});

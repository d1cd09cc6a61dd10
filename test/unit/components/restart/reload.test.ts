import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunScript, shellHere } from "../../../../clients/shell";
import { type AtPlace, restartAt } from "../../../../components/restart/at-place";
import { bakes } from "../../../../components/restart/restart";
import type { HealthProbe, HealthRule } from "../../../../core/health";

const DEFAULT: HealthRule = { status: [], field: "status", equals: ["healthy"], text: null };
const NEXT = "Fix it (see its log) and run this again, which continues here; or roll back.";

/** A service that reads its credential again when it is asked to, unless it is deaf. */
let server: Server;
let url: string;
let user: string | undefined;
let status: string;
let startedAt: string;
let isDeaf: boolean;
let asked: { method: string | undefined; length: string | undefined }[];
/** The status of each answer to come, before `status`. */
let coming: string[];

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/reload") {
      asked.push({ method: request.method, length: request.headers["content-length"] });
      if (!isDeaf) user = "trader_b";
      response.writeHead(204).end();
    } else if (request.url === "/refuses") response.writeHead(503).end('{"error":"no such route"}');
    else {
      const now = coming.shift() ?? status;
      response.end(JSON.stringify({ status: now, started_at: startedAt, database: { user } }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  [user, status, startedAt, isDeaf, asked, coming] = ["trader_a", "healthy", "2026-11-23T02:00:00Z", false, [], []];
});

const probe = (shows?: string): HealthProbe => ({
  kind: "http",
  url: `${url}/health`,
  rule: DEFAULT,
  ...(shows === undefined ? {} : { shows }),
});
const at = (more: Partial<AtPlace>): AtPlace => ({
  ...{ service: "api", place: "app-1", command: "false", timeout: 1000, reload: true, probe: probe("database.user") },
  ...more,
});
const request = (path: string, from: "host" | "runner" = "host") => ({
  request: {
    probe: { kind: "http", url: url + path, method: "POST", rule: { ...DEFAULT, field: null } } satisfies HealthProbe,
    from,
  },
});
const outcome = (given: AtPlace, run: RunScript = shellHere()) =>
  restartAt(given, run).then(
    ({ said, hooks }) => ({ ok: true, said, hooks }),
    (error: Error) => ({ ok: false, said: error.message, hooks: [] }),
  );

describe("a reload", () => {
  it("by a request takes effect when the health answer shows the new login", async () => {
    const proof = { field: "database.user", equals: "trader_b" };
    expect(await outcome(at({ ...request("/reload"), proof }))).toEqual({
      ...{ ok: true, hooks: [] },
      said: "api on app-1 is healthy, `database.user` is trader_b",
    });
    // An empty body with its length, which some servers insist on.
    expect(asked).toEqual([{ method: "POST", length: "0" }]);
  });

  it("may be requested from the machine that runs Pulumi", async () => {
    const here: string[] = [];
    const host: RunScript = (script, limit) => {
      here.push(script);
      return shellHere()(script, limit);
    };
    expect(await outcome(at(request("/reload", "runner")), host)).toMatchObject({ ok: true });
    expect(here.join("\n")).not.toContain("/reload");
    expect(asked).toHaveLength(1);
  });

  it("fails if the request is refused, in the service's words", async () => {
    expect((await outcome(at(request("/refuses")))).said).toBe(
      `api on app-1 did not take the reload request: its answer: {"error":"no such route"} (HTTP 503); expected HTTP 2xx, found HTTP 503. ${NEXT}`,
    );
  });

  it("that changes nothing is found: the field still shows the old login", async () => {
    isDeaf = true;
    expect(
      (await outcome(at({ ...request("/reload"), proof: { field: "database.user", equals: "trader_b" } }))).said,
    ).toBe(
      "api on app-1 was reloaded, but `database.user` of its health answer is trader_a, expected trader_b: it does not use the new credential (services.api.proof). Find out why it did not read it (see its log) and run this again, which continues here; or roll back.",
    );
    expect((await outcome(at({ ...request("/reload"), proof: { field: "database.user" } }))).said).toContain(
      "`database.user` of its health answer is still trader_a",
    );
    isDeaf = false;
    expect(await outcome(at({ ...request("/reload"), proof: { field: "database.user" } }))).toMatchObject({ ok: true });
  });

  it("without a proof is judged by health alone, and the process may be the old one", async () => {
    expect(await outcome(at({ command: "true", probe: probe() }))).toMatchObject({ ok: true });
  });

  it("names a field that the answer does not have", async () => {
    user = undefined;
    const proof = { field: "database.user", equals: "trader_b" };
    expect((await outcome(at({ command: "true", proof }))).said).toContain(
      "its health answer has no field `database.user`, which services.api.proof names",
    );
  });

  it("that leaves it unhealthy fails with its last answer", async () => {
    status = "unhealthy";
    expect((await outcome(at({ command: "true" }))).said).toContain(
      'api on app-1 was reloaded but is not healthy after 1 s; its last answer: {"status":"unhealthy"',
    );
    expect((await outcome(at({}))).said).toContain("api on app-1 could not be reloaded (exit status 1)");
  });

  it("of several hosts says which have the new credential and which not", async () => {
    const rollout = { batch: 2, of: 3, canary: false, done: "app-0", beside: "app-2", later: "app-3, app-4" };
    expect((await outcome(at({ rollout }))).said).toBe(
      `api on app-1 could not be reloaded (exit status 1). ${NEXT} It was in batch 2 of 3. With the new credential: app-0. At the same time: app-2, each with a result of its own. Left as they are, with the old credential: app-3, app-4.`,
    );
    const last = { ...rollout, canary: true, beside: "", later: "" };
    expect((await outcome(at({ rollout: last }))).said).toContain(
      "a canary. With the new credential: app-0. No host comes after it.",
    );
  });
});

describe("a canary", () => {
  const watch = (bake: number) =>
    bakes({ service: "api", place: "app-1", probe: probe() }, bake, shellHere()).catch((error: Error) => error.message);

  it("is asked again and again while it bakes", async () => {
    expect(await watch(1500)).toBe("stayed healthy for 2 s");
  });

  it("may miss one answer, not two in a row", async () => {
    coming = ["healthy", "healthy", "unhealthy"];
    expect(await watch(1500)).toBe("stayed healthy for 2 s");
    coming = ["healthy", "unhealthy", "unhealthy"];
    expect(await watch(60_000)).toContain("api on app-1, a canary, did not stay healthy for 60 s; its last answer:");
    expect(coming).toEqual([]);
  });

  it("must not start again by itself", async () => {
    const watched = watch(60_000);
    coming = ["healthy"];
    await expect.poll(() => coming, { timeout: 30_000, interval: 20 }).toEqual([]);
    startedAt = "2026-11-23T02:00:09Z";
    expect(await watched).toContain(
      "was started again by itself at 2026-11-23T02:00:09Z while it was watched for 60 s",
    );
  });
});

describe("hooks", () => {
  const hook = (command: string, on: "host" | "runner" = "host", timeout = 5000) => ({ command, on, timeout });
  const variables = { ROTATION_SERVICE: "api", ROTATION_HOST: "app-1" };

  it("run before and after, with what they may know, and their output is kept, cut to its end", async () => {
    const { ok, hooks } = await outcome(
      at({
        ...{ command: "true", variables },
        before: hook('echo "$ROTATION_SERVICE of $ROTATION_HOST"; echo too >&2'),
        after: hook("seq 1 2000; printf '\\033[1mend'"),
      }),
    );
    expect(ok).toBe(true);
    expect(hooks.map(({ hook: when }) => when)).toEqual(["before", "after"]);
    expect(hooks[0]?.said).toBe("api of app-1\ntoo");
    expect(hooks[1]?.said).toMatch(/1999\n2000\n\[1mend$/);
    expect(hooks[1]?.said.length).toBeLessThanOrEqual(1000);
  });

  it("on the machine that runs Pulumi find none of the run's credentials", async () => {
    const set = { PGPASSWORD: "horse-staple", MY_API_KEY: "battery-staple", BACKEND: "postgres://x:horse-staple@db/x" };
    const before = Object.keys(set).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, set, { PLAIN_SETTING: "visible" });
    try {
      const { hooks } = await outcome(at({ command: "true", before: hook("env", "runner") }));
      expect(hooks[0]?.said).not.toContain("staple");
      const { hooks: shown } = await outcome(at({ command: "true", before: hook("printenv PLAIN_SETTING", "runner") }));
      expect(shown[0]?.said).toBe("visible");
    } finally {
      for (const [name, value] of [...before, ["PLAIN_SETTING", undefined] as const]) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  it("that fail before it leave the service as it is", async () => {
    const ran: string[] = [];
    const run: RunScript = (script, limit) => {
      ran.push(script);
      return shellHere()(script, limit);
    };
    const failed = await outcome(at({ ...request("/reload"), before: hook("echo 'not now' >&2; exit 7") }), run);
    expect(failed.said).toBe(
      "api on app-1: the `before` hook failed (exit status 7); it said: not now. api on app-1 was not reloaded: it keeps the old credential. Fix it and run this again, which continues here; or roll back.",
    );
    expect(ran).toHaveLength(1);
    expect(asked).toEqual([]);
  });

  it("are ended after their time limit", async () => {
    expect((await outcome(at({ command: "true", before: hook("sleep 60", "host", 1000) }))).said).toContain(
      "the `before` hook did not end within 1 s",
    );
  });

  it("after it run only if it is healthy", async () => {
    status = "unhealthy";
    const { said } = await outcome(at({ command: "true", after: hook("exit 9") }));
    expect(said).toContain("is not healthy after 1 s");
    expect(said).not.toContain("hook");
    status = "healthy";
    expect((await outcome(at({ command: "true", after: hook("exit 9") }))).said).toBe(
      "api on app-1: the `after` hook failed (exit status 9). api on app-1 was reloaded and is healthy with the new credential. Fix it and run this again, which does api on app-1 once more; or roll back.",
    );
  });
});

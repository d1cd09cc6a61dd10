import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tryLogin } from "../../../clients/postgres";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";

describe("a login that is tried", () => {
  let dir: string;
  let server: Postgres;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "login-"));
    server = await startPostgres({ dir });
    await server.query("CREATE ROLE trader LOGIN PASSWORD 'of-the-test' CONNECTION LIMIT 1");
    await server.query("CREATE ROLE former NOLOGIN PASSWORD 'of-the-test'");
  });

  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const reference = (port = server.port) =>
    ({ host: server.host, port, database: "trader", sslmode: "disable", user: "postgres" }) as const;

  it("works", async () => {
    expect(await tryLogin(reference(), { username: "trader", password: "of-the-test" })).toEqual({
      outcome: "works",
      evidence: "trader logs in",
    });
  });

  it.each([
    ["another password", "trader", "another", /password authentication failed/],
    ["a role that may not log in", "former", "of-the-test", /is not permitted to log in/],
  ])("is refused: %s", async (_, username, password, evidence) => {
    const answer = await tryLogin(reference(), { username, password });
    expect(answer).toEqual({ outcome: "refused", evidence: expect.stringMatching(evidence) });
    expect(answer.evidence).toMatch(new RegExp(`^${username} cannot log in to trader on 127\\.0\\.0\\.1:\\d+: `));
  });

  it("is unknown if no server answers, or none has room", async () => {
    const login = { username: "trader", password: "of-the-test" };
    const unreachable = await tryLogin(reference(1), login);
    expect(unreachable).toEqual({ outcome: "unknown", evidence: expect.stringContaining("ECONNREFUSED") });
    const full = await server.session(() => tryLogin(reference(), login), { user: "trader", password: "of-the-test" });
    expect(full).toEqual({ outcome: "unknown", evidence: expect.stringContaining("too many connections") });
  });
});

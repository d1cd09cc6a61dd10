import { createServer } from "node:http";
import { mkdtemp } from "node:fs/promises";
import { resolveToolchain } from "../toolchain/resolve";
import { startOpenBao } from "./openbao";
import { startPostgres } from "./postgres";
import { createStack } from "./stack";

async function main() {
  const dir = await mkdtemp("/tmp/try-");
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const pg = await startPostgres({ dir });
  const bao = await startOpenBao({ dir, bin: tools.openbao!.path });
  const strategy = process.argv[2] ?? "alternating-users";
  await pg.query("CREATE ROLE trader LOGIN PASSWORD 'adopted-password-1' CONNECTION LIMIT 50");
  await bao.putSecret("paper/database/password", { value: "adopted-password-1" });
  const health = createServer((_, r) => r.end('{"status": "healthy"}'));
  await new Promise<void>((r) => health.listen(0, "127.0.0.1", r));
  const port = (health.address() as { port: number }).port;
  const stack = await createStack({
    dir: dir + "/stack",
    stack: "paper",
    env: { ...tools.env, PGPASSWORD: pg.adminPassword, PGUSER: "postgres", VAULT_ADDR: bao.address, VAULT_TOKEN: bao.rootToken },
    config: {
      environment: "paper",
      store: { kind: "vault" },
      preflight: { allowOpenMarket: true },
      services: { "signal-service": { health: `http://127.0.0.1:${port}/health`, restart: "true" } },
      secrets: [{ kind: "postgres-password", name: "database/password", strategy, database: { host: "127.0.0.1", port: pg.port, name: "trader", sslmode: "disable" }, role: "trader", restart: ["signal-service"] }],
      lab: { clock: "2026-11-23T02:00:00Z" },
    },
    secrets: { adopted: JSON.stringify({ "database/password": "adopted-password-1" }) },
  });
  const run = async (...args: string[]) => {
    const r = await stack.pulumi(args);
    console.log(`\n$ pulumi ${args.join(" ")}   [exit ${r.exitCode}, ${r.seconds.toFixed(1)} s]\n${r.stdout}${r.stderr}`);
  };
  await run("up", "--yes");
  await run("up", "--yes");
  await stack.configure("lab", { clock: "2027-02-20T03:00:00Z" });
  await run("preview", "--diff");
  await run("up", "--yes");
  await run("up", "--yes");
  await stack.configure("request", { id: "r1", secret: "database/password", activate: 1, reason: "test" });
  await run("up", "--yes");
  await run("up", "--yes");
  console.log((await pg.query("SELECT rolname, rolcanlogin, rolconnlimit, rolconfig FROM pg_roles WHERE rolname LIKE 'trader%'")).rows);
  console.log((await pg.query("SELECT id, secret_name, rotated_by, rotation_date, status, action, generation, reason, duration_seconds, outputs FROM secret_rotation_log")).rows);
  console.log(await bao.getSecret("paper/database/password").then((s) => s?.version));
  health.close();
  await pg.stop();
  await bao.stop();
}
void main().catch((e) => { console.error(e); process.exitCode = 1; });

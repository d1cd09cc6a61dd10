/** A service as many are: Node.js with pg's pool. It reads its login from Vault when it starts. */
const { appendFileSync, readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { Client, Pool } = require("pg");

const settings = JSON.parse(readFileSync(process.env.SETTINGS, "utf8"));
const startedAt = new Date().toISOString();

async function read(path) {
  const { address, mount, token } = settings.vault;
  const answer = await fetch(`${address}/v1/${mount}/data/${path}`, { headers: { "X-Vault-Token": token } });
  if (!answer.ok) throw new Error(`Vault answers ${answer.status}`);
  return (await answer.json()).data.data.value;
}

/** A new login ten times a second, as a line of the file of attempts. */
async function tryLogin(login) {
  const attempt = { t: Date.now() / 1000, path: "primary", user: login.user };
  const client = new Client({ ...login, connectionTimeoutMillis: 5000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    attempt.error = error.message;
  }
  await client.end().catch(() => undefined);
  appendFileSync(settings.attempts, `${JSON.stringify(attempt)}\n`);
}

async function main() {
  const { username, password } = settings.vault;
  const [user, value] = [await read(username), await read(password)];
  const { host, port, database } = settings.paths.primary;
  const login = { host, port, database, user, password: value };
  const pool = new Pool({ ...login, max: 3 });
  pool.on("error", () => undefined);
  createServer(async (_, response) => {
    const ended = await pool.query("select count(*) from positions").then(
      () => undefined,
      (error) => error,
    );
    response.writeHead(ended === undefined ? 200 : 503, { "Content-Type": "application/json" });
    response.end(
      JSON.stringify({ status: ended === undefined ? "healthy" : "unhealthy", started_at: startedAt, user }),
    );
  }).listen(settings.port, settings.address);
  for (;;) {
    await tryLogin(login);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

main();

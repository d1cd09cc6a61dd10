// Commands for the lab's issuer. `issuer.json` beside this file says where it is; the file `dies` has the id of a
// process that issue kills once, after the issuer has made a key and before anyone knows it.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { text } from "node:stream/consumers";

const { url } = JSON.parse(readFileSync("issuer.json", "utf8"));
const admin = process.env.LAB_ISSUER_TOKEN;
const input = await text(process.stdin);
if (input === "") process.exit(2);
const { action, id, values } = JSON.parse(input);
const answer = (value) => process.stdout.write(JSON.stringify(value));

async function ask(method, path, bearer, { body, headers } = {}) {
  const options = {
    method,
    headers: { authorization: `Bearer ${bearer}`, ...headers },
    body: body && JSON.stringify(body),
  };
  const response = await fetch(`${url}${path}`, options);
  return { status: response.status, body: await response.json() };
}

const ACTIONS = {
  async issue() {
    const { status, body } = await ask("POST", "/v1/keys", admin, { headers: { "idempotency-key": id } });
    if (status !== 201) throw new Error(`the issuer answers ${status}`);
    if (existsSync("dies")) {
      const update = Number(readFileSync("dies", "utf8"));
      rmSync("dies");
      process.kill(update, "SIGKILL");
      process.kill(process.pid, "SIGKILL");
    }
    answer({ values: { key: body.data.key } });
  },
  async verify() {
    const { status, body } = await ask("GET", "/v1/account", values.key);
    const evidence = `the issuer answers ${status}`;
    if (status === 200) answer({ answer: "works", identity: body.account.id, evidence });
    else answer({ answer: status === 401 ? "refused" : "unknown", evidence });
  },
  async revoke() {
    const { status } = await ask("POST", "/v1/revoke", admin, { body: values });
    if (status !== 200 && status !== 404) throw new Error(`the issuer answers ${status}`);
    answer({ revoked: true });
  },
};

try {
  await ACTIONS[action]();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

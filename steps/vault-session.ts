import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { environmentSecrets } from "../clients/environment-secrets";
import { Vault } from "../clients/vault";
import { logInToVault } from "../clients/vault-login";
import { type SessionAnswer, socketOf } from "../clients/vault-session";
import { messageOf } from "../core/errors";
import { redact } from "../core/redact";
import { secretsIn } from "../core/secret-fields";
import { type SessionOrder, sessionOrder } from "../stores/vault/login/order";

/**
 * A run's login to Vault. The run tells it how over stdin, and asks for the token by a line; steps ask over a socket. When
 * stdin ends, the run has ended, however it did: then the token is revoked.
 */
class Session {
  private login: Promise<string> | undefined;

  constructor(private readonly order: SessionOrder) {
    if (order.session !== undefined) this.listen(socketOf(order.session));
  }

  async answer(): Promise<SessionAnswer> {
    const { place, auth, secretId } = this.order;
    this.login ??= logInToVault(place, auth, secretId);
    try {
      return { token: await this.login };
    } catch (error) {
      this.login = undefined;
      return {
        error: redact(messageOf(error), [...environmentSecrets(process.env), ...secretsIn(sessionOrder, this.order)]),
      };
    }
  }

  private listen(socket: string): void {
    rmSync(socket, { force: true });
    process.on("exit", () => rmSync(socket, { force: true }));
    createServer((client) => {
      client.on("error", () => undefined);
      void this.answer().then((answer) => client.end(JSON.stringify(answer)));
    }).listen(socket);
  }

  /** Without an answer the token ends by itself, after its time to live. */
  async end(): Promise<void> {
    const token = await this.login?.catch(() => undefined);
    if (token === undefined) return;
    const vault = new Vault(this.order.place, () => Promise.resolve(token));
    await vault.post("auth/token/revoke-self", {}).catch(() => undefined);
  }
}

let session: Session | undefined;
let ending = false;

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await session?.end();
  process.exit();
}

// The run decides when it is over: a signal to everything that it started is no end yet.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("SIGTERM", () => void end());
process.stdout.on("error", () => undefined);
createInterface({ input: process.stdin })
  .on("line", (line) => {
    if (session === undefined) session = new Session(sessionOrder.parse(JSON.parse(line)));
    else void session.answer().then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
  })
  .on("close", () => void end());

import { connect, type Socket } from "node:net";
import type { RedisConfig } from "./types";

const LOGIN_LIMIT_MS = 5000;

/** Redis refuses a login. */
export class RedisError extends Error {
  constructor(readonly code: string) {
    super(`Redis answered ${code}`);
  }
}

/** A connection that is logged in. By hand, so that a service's bundle has no client library to read at its start. */
export class RedisSession {
  private constructor(private readonly socket: Socket) {
    // Between two commands an error ends the connection, which the next command finds.
    socket.on("error", () => undefined);
  }

  static async open({ host, port, username }: RedisConfig, password: string): Promise<RedisSession> {
    const socket = connect({ host, port });
    socket.setTimeout(LOGIN_LIMIT_MS, () => socket.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
    const session = new RedisSession(socket);
    try {
      await session.ask("AUTH", username, password);
      socket.setTimeout(0);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Sends one command that answers with one line. @throws RedisError */
  ask(...command: string[]): Promise<string> {
    const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
    return new Promise((resolve, reject) => {
      const ended = () => reject(Object.assign(new Error("the connection ended"), { code: "ECONNRESET" }));
      if (this.socket.destroyed) return ended();
      this.socket.once("error", reject).once("close", ended);
      this.socket.once("data", (data) => {
        this.socket.off("error", reject).off("close", ended);
        const line = data.toString("utf8").trim();
        if (line.startsWith("-")) reject(new RedisError(line.slice(1).split(" ")[0] ?? "ERR"));
        else resolve(line.slice(1));
      });
      this.socket.write(`*${command.length}\r\n${parts.join("")}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A new login. */
export async function tryRedisLogin(config: RedisConfig, password: string): Promise<void> {
  (await RedisSession.open(config, password)).close();
}

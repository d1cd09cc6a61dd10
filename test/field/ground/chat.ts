import { createHash } from "node:crypto";
import { poll } from "../../../dev/lab/poll";
import type { Values } from "../../../kinds/issuer/issuer";
import { allowRestart } from "./machine";
import { type Ground, startGround } from "./platform";
import { placeProgram } from "./service";
import { type Account, type Synapse, startSynapse } from "./synapse";

export const SECRET = "chat/token";

/** Of one bot each, on a host of its own. */
export const BOTS = { "alert-bot": "trading-1", "report-bot": "trading-2" } as const;

/** A platform with a chat server, in which two bots hold the access token of one account all the while. */
export interface Chat extends Ground {
  readonly synapse: Synapse;
  /** Of an operator who administers the server. */
  readonly admin: string;
  readonly account: Account;
  /** In use at the start. */
  readonly token: string;
  /** What the bots hold, as {@link held} writes it; each one. */
  holding(): Promise<string[]>;
  /** How often the server answered the bots, how often they found none, and what it refused. */
  seen(): Promise<{ readonly answered: number; readonly unanswered: number; readonly refused: readonly string[] }>;
}

/** How a bot says which token it holds. */
export const held = (token: string): string => createHash("sha256").update(token).digest("hex").slice(0, 8);

/** Starts it, with the stack's one secret. @param secret the entry of the config key `secrets` beside its name and readers */
export async function startChat(
  secret: (at: Pick<Chat, "synapse" | "account">) => Readonly<Record<string, unknown>>,
): Promise<Chat> {
  let chat: Pick<Chat, "synapse" | "admin" | "account" | "token"> | undefined;
  const ground = await startGround({
    services: {},
    more: async ({ dir, store, plan, boot }) => {
      const synapse = await startSynapse(dir);
      const operator = await synapse.account("operator", { admin: true });
      const account = await synapse.account("desk");
      const [admin, token] = [await synapse.login(operator, "operator"), await synapse.login(account, "by-hand-1")];
      chat = { synapse, admin, account, token };
      await store.put(SECRET, token);
      const room = await synapse.ask("POST", "/_matrix/client/v3/createRoom", token, { name: "fills" });
      const bots = Object.entries(BOTS).map(async ([name, host]) => {
        const machine = await boot(host, {});
        await allowRestart(machine, name);
        const { vault, port } = await plan(name);
        const settings = { vault, token: `paper/${SECRET}`, chat: synapse.url, room: room.body.room_id };
        const config = { restart: `sudo -n systemctl restart ${name}` };
        return placeProgram({ name, port, config, program: "bot.py", settings }, [machine]);
      });
      return Promise.all(bots);
    },
  }).catch(async (error: unknown) => {
    await chat?.synapse.stop();
    throw error;
  });
  if (chat === undefined) throw new Error("the chat server did not start");
  const { synapse } = chat;
  const { host, port, database: name } = ground.postgres;
  await ground.stack.configure("audit", { host, port, name, sslmode: "disable" });
  await ground.stack.configure("secrets", [{ name: SECRET, restart: Object.keys(BOTS), ...secret(chat) }]);
  await ground.stack.configure("adopted", undefined);
  return {
    ...ground,
    ...chat,
    holding: async () =>
      (await Promise.all(ground.services.map((bot) => bot.users()))).flatMap((users) => Object.values(users)),
    seen: async () => {
      const all = (await Promise.all(ground.services.map((bot) => bot.attempts()))).flat();
      const errors = all.flatMap(({ error, path }) => (error === undefined ? [] : [`${path}: ${error}`]));
      const unanswered = errors.filter((error) => error.includes("no answer")).length;
      const refused = errors.filter((error) => !error.includes("no answer"));
      return { answered: all.length - unanswered, unanswered, refused };
    },
    stop: async () => {
      await synapse.stop();
      await ground.stop();
    },
  };
}

/** How the config asks whose token it is. A token that the server would take again after a login has not ended. */
export const whoami = ({ url }: Pick<Synapse, "url">) => ({
  request: `GET ${url}/_matrix/client/v3/account/whoami`,
  headers: { Authorization: "Bearer {key}" },
  revoked: { status: 401, json: { errcode: "M_UNKNOWN_TOKEN", soft_logout: false } },
  identity: "$.user_id",
  activationWait: "3s",
});

/** Resolves when both bots are healthy. */
export const healthy = (chat: Chat): Promise<unknown> =>
  poll(async () => (await Promise.all(chat.services.map((bot) => bot.healthy()))).every(Boolean), {
    ...{ what: "both bots are healthy", limitMs: 60_000 },
  });

/** A key of the secret, as `rotation key add` takes it. */
export const supplied = (label: string, key: string): string =>
  JSON.stringify({ label, values: { key } satisfies Values });

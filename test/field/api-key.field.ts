import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { startHttp } from "../../dev/lab/http";
import { advised } from "../advice/table";
import { fine, json, rotation, unwrapped } from "../engine/cli-support";
import { auditRows, refusedUp, setDay, UNCHANGED, up } from "../engine/harness";
import { BOTS, type Chat, healthy, held, SECRET, startChat, supplied, whoami } from "./ground/chat";
import { withoutDebian } from "./ground/debian";

const missing = await withoutDebian();
const [FIRST, SECOND, THIRD] = ["desk-2026-11-20", "desk-2027-02-19", "desk-2027-02-20"] as const;

describe.skipIf(missing !== undefined)(
  `an access token of Matrix Synapse that an operator supplies${missing ? `: ${missing}` : ""}`,
  () => {
    let chat: Chat;
    beforeAll(async () => {
      chat = await startChat(({ synapse }) => ({ kind: "api-key", verify: whoami(synapse) }));
    });
    afterAll(async () => chat?.stop());

    const run = (command: string, input?: string) =>
      rotation(chat, command.split(" ").slice(1), input === undefined ? {} : { input });
    const rows = async () => (await auditRows({ lab: chat })).map(({ action, generation }) => [action, generation]);
    const current = async () => (await chat.store.get(SECRET))?.value;
    /** What the command says that refuses a key; nothing is changed. */
    const refusedKey = async (label: string, token: string) => {
      const { exitCode, stdout, stderr } = await run(add, supplied(label, token));
      expect([exitCode, stdout], stderr).toEqual([1, ""]);
      expect(stderr).not.toContain(token);
      return unwrapped(stderr);
    };
    /** Both bots hold a token, and so does the store. */
    const inUse = async (token: string) => {
      expect(await chat.holding()).toEqual([held(token), held(token)]);
      expect(await current()).toBe(token);
    };
    /** A page in the server's place. */
    const pageOfAProxy = () =>
      startHttp((_, response) => void response.end("<html>Maintenance</html>"), Number(new URL(chat.synapse.url).port));
    const answers = () => `${new URL(chat.synapse.url).host} answers`;
    let add = `rotation key add ${SECRET}`;
    let second = "";
    let third = "";

    it("is adopted: the server says whose it is, and nothing is written or restarted", async () => {
      await fine(chat, ["key", "add", SECRET], { input: supplied(FIRST, chat.token) });
      await up(chat);
      expect((await auditRows({ lab: chat })).at(-1)).toMatchObject({
        ...{ action: "ADOPT", generation: 0, outputs: { identity: "@desk:localhost", key: { label: FIRST } } },
      });
      expect(await chat.store.get(SECRET)).toEqual({ value: chat.token, version: 1 });
    });

    it("a token of another account, one that has ended, one that has expired, a server that is down and a page are told apart", async () => {
      await setDay(chat, 89);
      add = advised("rotation key add", (await rotation(chat, ["status"])).stdout);
      const { synapse, account, admin } = chat;
      expect(await refusedKey(SECOND, await synapse.login(await synapse.account("risk"), "bot"))).toContain(
        `expected ${SECOND} to belong to @desk:localhost, as the key in use, ${FIRST} does, found @risk:localhost`,
      );
      const ended = await synapse.login(account, "ended");
      await synapse.logout(ended);
      expect(await refusedKey(SECOND, ended)).toContain(`${answers()} 401`);
      // Made to expire: the server would take it again after another login (a soft logout).
      const expired = await synapse.ask("POST", `/_synapse/admin/v1/users/${account.id}/login`, admin, {
        valid_until_ms: Date.now() - 1000,
      });
      const message = await refusedKey(SECOND, String(expired.body.access_token));
      expect(message).toContain(`${answers()} 401 with another JSON than expected`);
      expect(message).toContain("neither `verify.expect` nor `verify.revoked`");
      second = await synapse.login(account, "by-hand-2");
      await synapse.down();
      expect(await refusedKey(SECOND, second)).toContain("gives no answer: connect ECONNREFUSED");
      const proxy = await pageOfAProxy();
      expect(await refusedKey(SECOND, second)).toContain(`${answers()} 200 without a text or a number at $.user_id`);
      await proxy.stop();
      await synapse.up();
      await fine(chat, add.split(" ").slice(1), { input: supplied(SECOND, second) });
    });

    it("is rotated: a server that is down stops it before anything, and one that ends in the middle before the store", async () => {
      await chat.synapse.down();
      const early = unwrapped(await refusedUp(chat));
      for (const [bot, host] of Object.entries(BOTS))
        expect(early).toContain(`host ${host}: not healthy before the start: ${bot}`);
      expect(early).toContain("nothing was changed");
      await chat.synapse.up();
      await healthy(chat);
      let ended: Promise<void> | undefined;
      const late = await chat.stack.pulumi(["up", "--yes", "--skip-preview"], {
        onOutput: (text) => {
          if (ended === undefined && /verify-key/.test(text)) ended = chat.synapse.down();
        },
      });
      await ended;
      expect(late.exitCode).not.toBe(0);
      expect(unwrapped(late.stdout)).toMatch(
        /gives no answer: .* The key was not written, and no service was restarted/,
      );
      expect(await current()).toBe(chat.token);
      await chat.synapse.up();
      await healthy(chat);
      await up(chat);
      await inUse(second);
      expect(await chat.synapse.accepts(chat.token)).toBe(true);
      expect(JSON.stringify(await json<Validation[]>(chat, ["validate", SECRET]))).toContain(
        "answers 200 to the key in the store",
      );
    });

    it("is rolled back; the token that was left is logged out, and the next update sees its end", async () => {
      await chat.stack.configure("request", { id: "back", secret: SECRET, activate: 0, reason: "a test" });
      expect((await up(chat)).stdout).toContain(`the key ${SECOND} still works after the rollback`);
      await inUse(chat.token);
      await chat.synapse.logout(second);
      await up(chat);
      expect((await rows()).at(-1)).toEqual(["REVOKE", 1]);
    });

    it("is rotated again; the old token stays until the operator ends it, which the next update proves", async () => {
      third = await chat.synapse.login(chat.account, "by-hand-3");
      await fine(chat, add.split(" ").slice(1), { input: supplied(THIRD, third) });
      await up(chat);
      await inUse(third);
      await setDay(chat, 91);
      expect(unwrapped((await up(chat)).stdout)).toContain(
        `the key ${FIRST} still works though its grace period ended`,
      );
      await chat.synapse.down();
      const unknown = `whether the key ${FIRST} still works is not known`;
      expect(unwrapped((await up(chat)).stdout)).toContain(
        `${unknown}: ${new URL(chat.synapse.url).host} gives no answer`,
      );
      const proxy = await pageOfAProxy();
      expect(unwrapped((await up(chat)).stdout)).toContain(`${unknown}: ${answers()} 200 without`);
      await proxy.stop();
      await chat.synapse.up();
      await chat.synapse.logout(chat.token);
      await up(chat);
      const { stdout } = await up(chat);
      expect(stdout).toMatch(UNCHANGED);
      await fine(chat, advised("rotation key forget", stdout).split(" ").slice(1));
      expect(await rows()).toEqual([
        ["ADOPT", 0],
        ["ROTATE", 1],
        ["ROLLBACK", 0],
        ["REVOKE", 1],
        ["ROTATE", 2],
        ["REVOKE", 0],
      ]);
      await inUse(third);
      const { answered, unanswered, refused } = await chat.seen();
      expect(refused).toEqual([]);
      console.log(`api-key: ${answered} requests of the bots, 0 refused; ${unanswered} found no server`);
    });
  },
);

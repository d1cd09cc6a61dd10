import { cp } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { KindTest } from "../../cli/operate/kinds/life";
import { projectRoot } from "../../cli/toolchain/project";
import { parsed, rotation, unwrapped } from "../engine/cli-support";
import { auditRows, refusedUp, setDay, UNCHANGED, up } from "../engine/harness";
import { type Chat, healthy, held, SECRET, startChat, whoami } from "./ground/chat";
import { withoutDebian } from "./ground/debian";

const missing = await withoutDebian();
const COMMANDS = { issue: "node issue.mjs", verify: "node verify.mjs", revoke: "node revoke.mjs" };

interface Way {
  /** The name of a credential's value. */
  readonly field: string;
  readonly secret: (at: Pick<Chat, "synapse" | "account">) => Readonly<Record<string, unknown>>;
  /** What is said if the server takes no further login. */
  readonly limited: readonly string[];
  /** Logins of one `issue`. */
  readonly logins: number;
}

const WAYS: Record<"custom" | "api-key", Way> = {
  custom: {
    field: "token",
    secret: () => ({
      ...{ kind: "custom", directory: "my-kind", fields: ["token"], commands: COMMANDS },
      ...{ variables: ["MATRIX_PASSWORD"], wait: "10s" },
    }),
    limited: [
      "the command for issue, `node issue.mjs`, failed (exit status 1)",
      "the server answered 429 M_LIMIT_EXCEEDED to a login",
    ],
    logins: 2,
  },
  "api-key": {
    field: "key",
    secret: ({ synapse, account }) => ({
      ...{ kind: "api-key", verify: whoami(synapse), variables: { password: "MATRIX_PASSWORD" } },
      issue: {
        request: `POST ${synapse.url}/_matrix/client/v3/login`,
        json: {
          ...{ type: "m.login.password", identifier: { type: "m.id.user", user: account.name } },
          ...{ password: "{password}", device_id: "{id}" },
        },
        values: { key: "$.access_token" },
      },
      revoke: {
        request: `POST ${synapse.url}/_matrix/client/v3/logout`,
        headers: { Authorization: "Bearer {key}" },
        gone: { status: 401, json: { errcode: "M_UNKNOWN_TOKEN" } },
        wait: "10s",
      },
    }),
    limited: ["to answer 200 or 201 to `issue`, found 429", "try again later"],
    logins: 1,
  },
};

describe.skipIf(missing !== undefined).each(Object.entries(WAYS))(
  `%s: access tokens of Matrix Synapse that the pipeline makes${missing ? `: ${missing}` : ""}`,
  (name, { field, secret, limited, logins }) => {
    let chat: Chat;
    let first = "";
    beforeAll(async () => {
      chat = await startChat(secret);
      const { synapse, account, stack } = chat;
      vi.stubEnv("MATRIX_URL", synapse.url);
      vi.stubEnv("MATRIX_USER", account.name);
      vi.stubEnv("MATRIX_PASSWORD", account.password);
      await stack.configureSecret("adopted", JSON.stringify({ [SECRET]: JSON.stringify({ [field]: chat.token }) }));
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await chat?.stop();
    });

    const kinds = (...args: string[]) =>
      execa(process.execPath, ["dist/cli/rotation.mjs", "kinds", ...args, "my-kind"], { cwd: chat.stack.projectDir });

    const rows = async () => (await auditRows({ lab: chat })).map(({ action, generation }) => [action, generation]);
    const current = async () => String((await chat.store.get(SECRET))?.value);
    /** Both bots hold what the store has, and the server accepts it; returns it. */
    const inUse = async () => {
      const token = await current();
      expect(await chat.holding()).toEqual([held(token), held(token)]);
      expect(await chat.synapse.accepts(token)).toBe(true);
      return token;
    };
    /** The names of the account's devices, which have the tokens. */
    const devices = async () => {
      const path = `/_synapse/admin/v2/users/${chat.account.id}/devices`;
      const { body } = await chat.synapse.ask("GET", path, chat.admin);
      return (body.devices as { device_id: string }[]).map(({ device_id }) => device_id).sort();
    };
    /** The server takes one login less than `issue` needs, and then one after so many seconds. */
    const limitedTo = async (everySeconds: number) => {
      await chat.synapse.down();
      await chat.synapse.up({ logins: 1, everySeconds });
      await healthy(chat);
      if (logins === 1) await chat.synapse.logout(await chat.synapse.login(chat.account, "another"));
    };
    const requested = (id: string, what: object) =>
      chat.stack.configure("request", { id, secret: SECRET, reason: "a test", ...what });

    it.runIf(name === "custom")(
      "`rotation kinds test` finds every promise kept, and leaves nothing there",
      async () => {
        await kinds("init");
        await cp(join(projectRoot(), "test/field/services/matrix-kind"), join(chat.stack.projectDir, "my-kind"), {
          recursive: true,
        });
        const before = await devices();
        const { ok, promises } = parsed<KindTest>((await kinds("test", "--json")).stdout);
        expect(promises.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
        expect(ok).toBe(true);
        expect(await devices()).toEqual(before);
      },
    );

    it("the server keeps a device's first token valid when it logs in again, and a logout ends both", async () => {
      const { synapse, account } = chat;
      const [left, known] = [await synapse.login(account, "twice"), await synapse.login(account, "twice")];
      expect([await synapse.accepts(left), await synapse.accepts(known)]).toEqual([true, true]);
      await synapse.logout(known);
      expect([await synapse.accepts(left), await synapse.accepts(known)]).toEqual([false, false]);
    });

    it("is adopted and rotated; a server that limits logins stops it before anything", async () => {
      await up(chat);
      first = await inUse();
      expect(await chat.synapse.accepts(chat.token)).toBe(true);
      await setDay(chat, 89);

      await limitedTo(300);
      const said = unwrapped(await refusedUp(chat));
      for (const part of limited) expect(said).toContain(part);
      expect(await inUse()).toBe(first);

      if (name === "api-key") {
        // For as long as `Retry-After` says, the update waits.
        await limitedTo(8);
      } else {
        await chat.synapse.down();
        await chat.synapse.up();
        await healthy(chat);
      }
      await up(chat);
      expect(await inUse()).not.toBe(first);
      expect(await chat.synapse.accepts(first)).toBe(true);
      expect(await chat.synapse.accepts(chat.token)).toBe(false);
      expect(await devices()).toEqual([1, 2].map((generation) => `paper/${SECRET}/${generation}`));
    });

    it("is rolled back and rotated again; the token that is left ends when its slot is needed", async () => {
      const second = await current();
      await requested("back", { activate: 1 });
      await up(chat);
      expect(await inUse()).toBe(first);
      await requested("again", { rotate: true });
      await up(chat);
      await inUse();
      expect(await chat.synapse.accepts(second)).toBe(false);
      expect(await chat.synapse.accepts(first)).toBe(true);
    });

    it("the previous token ends after its grace period, once the server answers that it has", async () => {
      await setDay(chat, 92);
      await chat.synapse.down();
      const down = unwrapped(await refusedUp(chat));
      expect(down).toMatch(/the server does not answer: ECONNREFUSED|to `revoke`, found connect ECONNREFUSED/);
      expect((await rows()).at(-1)).toEqual(["ROTATE", 3]);
      await chat.synapse.up();
      await up(chat);
      expect(await chat.synapse.accepts(first)).toBe(false);
      expect((await up(chat)).stdout).toMatch(UNCHANGED);
      await inUse();
      expect(await devices()).toEqual([`paper/${SECRET}/3`]);
      const { exitCode, stdout } = await rotation(chat, ["validate", SECRET]);
      expect(exitCode, stdout).toBe(0);
      expect(await rows()).toEqual([
        ["ADOPT", 1],
        ["ROTATE", 2],
        ["ROLLBACK", 1],
        ["ROTATE", 3],
        ["REVOKE", 1],
      ]);
      const { answered, unanswered, refused } = await chat.seen();
      expect(refused).toEqual([]);
      console.log(`${name}: ${answered} requests of the bots, 0 refused; ${unanswered} found no server`);
    });
  },
);

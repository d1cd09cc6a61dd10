import { afterEach, describe, expect, it } from "vitest";
import { jsonMembers } from "../../../core/json-members";
import { type FaultProxy, startFaultProxy } from "../../../dev/lab/fault-proxy";
import type { StoreClient } from "../../../stores/store";
import { writeEntry } from "../../../stores/write-entry";
import { useOpenBao, vaultStore, wish } from "./store-support";

const bao = useOpenBao();
let proxy: FaultProxy | undefined;
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

let paths = 0;
/** A path of its own for each test. */
const newPath = () => `database/password-${++paths}`;
const store = () => vaultStore(bao().address, bao().rootToken);
const put = (path: string, data: Record<string, unknown>) => bao().putSecret(`paper/${path}`, data);
const held = (path: string) => bao().getSecret(`paper/${path}`);

/** Does something once, right before the first write after a read: what another writer may do at any time. */
function interrupted(client: StoreClient, meanwhile: () => Promise<unknown>): StoreClient {
  let done = false;
  const writeAt = client.writeAt.bind(client);
  return Object.assign(client, {
    writeAt: async (...args: Parameters<StoreClient["writeAt"]>) => {
      if (!done) await meanwhile();
      done = true;
      return writeAt(...args);
    },
  });
}

describe("a write into Vault", () => {
  it("creates what is not there, and writes nothing a second time", async () => {
    const path = newPath();
    const pair = { generation: 3, slot: 1 } as const;
    expect(await writeEntry(store(), wish(path, "new", [], { pair }))).toMatchObject({ version: "1", wrote: true });
    expect(await held(path)).toEqual({ data: { value: "new", generation: "3" }, version: 1 });
    expect(await writeEntry(store(), wish(path, "new", [], { pair }))).toMatchObject({ version: "1", wrote: false });
    expect((await held(path))?.version).toBe(1);
  });

  it("keeps every other key, also numbers that JavaScript cannot hold", async () => {
    const path = newPath();
    const others = '"host":"db","port":"5432","dbname":"trader","id":12345678901234567890,"ratio":1.50,"tags":["a"]';
    const body = `{"data":{"value":"old",${others}}}`;
    const headers = { "X-Vault-Token": bao().rootToken };
    await fetch(`${bao().address}/v1/secret/data/paper/${path}`, { method: "POST", headers, body });
    const document = async () => {
      const answer = await (await fetch(`${bao().address}/v1/secret/data/paper/${path}`, { headers })).text();
      return jsonMembers(jsonMembers(jsonMembers(answer).get("data") ?? "").get("data") ?? "");
    };
    const before = await document();
    await writeEntry(store(), wish(path, "new", ["old"]));
    expect([...(await document())]).toEqual([...before].map(([key, text]) => [key, key === "value" ? '"new"' : text]));
  });

  it.each([
    ["a value that somebody else wrote", { value: "theirs" }, "external write to"],
    [
      "a document without `value`",
      { username: "trader", password: "theirs", host: "db" },
      "it is there under the key `password`",
    ],
    ["a `value` that is no text", { value: { password: "theirs" } }, "its key `value` holds an object"],
  ])("refuses %s, and overwrites it with force, beside its other keys", async (_, data, words) => {
    const path = newPath();
    await put(path, data);
    const refused = await writeEntry(store(), wish(path, "new", ["old"])).catch(String);
    expect(refused).toContain(words);
    expect(refused).toMatch(/version 1, written 20.*TWO WAYS ON/);
    expect(refused).not.toContain("theirs");
    expect(await held(path)).toEqual({ data, version: 1 });
    await writeEntry(store(), wish(path, "new", ["old"], { force: true }));
    expect((await held(path))?.data).toEqual({ ...data, value: "new" });
  });

  it("takes an empty document, a deleted and a destroyed version for what they are", async () => {
    const path = newPath();
    await put(path, {});
    expect((await store().read(path))?.content).toEqual({ kind: "empty", why: "the document is empty" });
    expect((await writeEntry(store(), wish(path, "one", []))).version).toBe("2");
    await bao().request("DELETE", `secret/data/paper/${path}`);
    const deleted = await store().read(path);
    expect(deleted).toMatchObject({ version: "2", value: undefined });
    expect(deleted?.content).toMatchObject({
      kind: "empty",
      why: expect.stringContaining("vault kv undelete -versions=2"),
    });
    expect((await writeEntry(store(), wish(path, "two", []))).version).toBe("3");
    await bao().request("PUT", `secret/destroy/paper/${path}`, { versions: [3] });
    expect((await store().read(path))?.content).toEqual({ kind: "empty", why: "version 3 is destroyed" });
    expect((await writeEntry(store(), wish(path, "three", []))).version).toBe("4");
  });

  it("works if check-and-set is required, by the mount or by the secret", async () => {
    const path = newPath();
    await bao().request("POST", "secret/config", { cas_required: true });
    try {
      await writeEntry(store(), wish(path, "one", []));
      await bao().request("POST", `secret/metadata/paper/${path}`, { cas_required: true });
      expect((await writeEntry(store(), wish(path, "two", ["one"]))).version).toBe("2");
    } finally {
      await bao().request("POST", "secret/config", { cas_required: false });
    }
    expect((await writeEntry(store(), wish(path, "three", ["two"]))).version).toBe("3");
  });

  it("merges anew if others changed their keys in between", async () => {
    const path = newPath();
    await put(path, { value: "old", host: "a" });
    const client = interrupted(store(), () => put(path, { value: "old", host: "b", port: "5432" }));
    expect((await writeEntry(client, wish(path, "new", ["old"]))).version).toBe("3");
    expect((await held(path))?.data).toEqual({ value: "new", host: "b", port: "5432" });
  });

  it("overwrites no external write in between", async () => {
    const path = newPath();
    await put(path, { value: "old" });
    const client = interrupted(store(), () => put(path, { value: "theirs" }));
    await expect(writeEntry(client, wish(path, "new", ["old"]))).rejects.toThrow(/external write to .*version 2/);
    expect(await held(path)).toEqual({ data: { value: "theirs" }, version: 2 });
  });

  describe("behind a standby", () => {
    /** The store through a proxy, which will answer with what the path holds now. */
    async function lagging(path: string, times: number, after = 0): Promise<StoreClient> {
      const through = await startFaultProxy(bao().address);
      proxy = through;
      const answer = await fetch(`${bao().address}/v1/secret/data/paper/${path}`, {
        headers: { "X-Vault-Token": bao().rootToken },
      });
      const fault = { status: answer.status, body: await answer.text() };
      through.inject({ when: ({ method }) => method === "GET", after, times, fault });
      return vaultStore(through.url, bao().rootToken);
    }

    it("asks again until the version that was written is there", async () => {
      const path = newPath();
      await put(path, { value: "old", host: "db" });
      const client = await lagging(path, 3, 1);
      expect(await writeEntry(client, wish(path, "new", ["old"]))).toMatchObject({ version: "2", wrote: true });
    });

    it("does the same if nothing was there before", async () => {
      const path = newPath();
      const client = await lagging(path, 2, 1);
      expect((await writeEntry(client, wish(path, "new", []))).version).toBe("1");
    });

    it("reads anew if the first read was stale: the version before is not the one that is overwritten", async () => {
      const path = newPath();
      await put(path, { value: "old" });
      const client = await lagging(path, 2);
      await put(path, { value: "old", host: "db" });
      expect((await writeEntry(client, wish(path, "new", ["old"]))).version).toBe("3");
      expect((await held(path))?.data).toEqual({ value: "new", host: "db" });
    });

    it("names an external write right after", async () => {
      const path = newPath();
      await put(path, { value: "old" });
      const through = await startFaultProxy(bao().address);
      proxy = through;
      const first = () => put(path, { value: "theirs" });
      through.inject({ when: ({ method }) => method === "GET", after: 1, times: 1, fault: { first } });
      const client = vaultStore(through.url, bao().rootToken);
      await expect(writeEntry(client, wish(path, "new", ["old"]))).rejects.toThrow(
        /external write to .*version 3.*right after this update wrote version 2/,
      );
    });

    it.each([
      ["a lost answer", { drop: "answer" }],
      ["a lost request", { drop: "request" }],
      ["a leader that changes", { status: 500 }],
      ["a limit on requests", { status: 429 }],
    ] as const)("a write survives %s, and is made once", async (_, fault) => {
      const path = newPath();
      await put(path, { value: "old" });
      const through = await startFaultProxy(bao().address);
      proxy = through;
      through.inject({ when: ({ method }) => method === "POST", times: 1, fault });
      const client = vaultStore(through.url, bao().rootToken);
      expect((await writeEntry(client, wish(path, "new", ["old"]))).version).toBe("2");
      expect(await held(path)).toEqual({ data: { value: "new" }, version: 2 });
    });
  });
});

describe("marks in Vault", () => {
  const marksOf = async (path: string) =>
    ((await bao().request("GET", `secret/metadata/paper/${path}`)).data as { custom_metadata: unknown })
      .custom_metadata;

  it.each([
    ["may patch", ["read", "patch"]],
    ["may only update", ["read", "update"]],
  ])("stand beside those of others; a token that %s", async (name, capabilities) => {
    const path = newPath();
    await put(path, { value: "x" });
    const theirs = { owner: "desk-7", cmdb: "4711" };
    await bao().request("POST", `secret/metadata/paper/${path}`, {
      custom_metadata: { ...theirs, grace_until: "over" },
    });
    const policy = `path "secret/metadata/paper/*" { capabilities = ${JSON.stringify(capabilities)} }`;
    const token = await bao().createToken(`marks-${capabilities[1]}`, policy);
    const client = vaultStore(bao().address, token);
    expect([...(await client.mark(path, { status: "active", generation: "3" }))].sort()).toEqual([
      "generation",
      "grace_until",
      "status",
    ]);
    expect(await marksOf(path), name).toEqual({ ...theirs, status: "active", generation: "3" });
    expect(await client.mark(path, { status: "active", generation: "3" })).toEqual([]);
    expect((await held(path))?.version).toBe(1);
  });
});

import { describe, expect, it } from "vitest";
import { checkCurrentValue, checkUnchanged } from "../../../components/preflight/store";
import { documentEntry } from "../../../core/document";
import { documentShape } from "../../../core/document-settings";
import { rendered } from "../../../core/template";
import type { DocumentEntry, StoreClient } from "../../../stores/store";
import { writeEntry } from "../../../stores/write-entry";
import { awsStore, useMoto, useOpenBao, vaultStore } from "./store-support";

const bao = useOpenBao();
const moto = useMoto();

/** A store, as others use it: with raw documents. */
interface Backend {
  client(): StoreClient;
  put(path: string, text: string): Promise<unknown>;
  get(path: string): Promise<Record<string, unknown> | undefined>;
}

const BACKENDS: Readonly<Record<"vault" | "aws", Backend>> = {
  vault: {
    client: () => vaultStore(bao().address, bao().rootToken),
    put: (path, text) => bao().putSecret(`paper/${path}`, JSON.parse(text) as Record<string, unknown>),
    get: async (path) => (await bao().getSecret(`paper/${path}`))?.data,
  },
  aws: {
    client: () => awsStore(moto()),
    put: async (path, SecretString) => {
      const Name = `paper/${path}`;
      await moto()
        .secrets.createSecret({ Name })
        .catch(() => undefined);
      await moto().secrets.putSecretValue({ SecretId: Name, SecretString });
    },
    get: async (path) =>
      JSON.parse((await moto().secrets.getSecretValue({ SecretId: `paper/${path}` })).SecretString ?? "null"),
  },
};

const KIND = {
  parts: ["username", "password"],
  needed: ["password"],
  given: { host: "db.internal", port: 5432, dbname: "trader" },
};
/** The shape that AWS documents for its own rotation and for RDS Proxy, with a connection string beside it. */
const EXTRAS = {
  ...{ engine: "postgres", host: "{host}", port: "{port}", dbname: "{dbname}" },
  url: "postgresql+psycopg://{username}:{password|url}@{host}:{port}/{dbname}",
};
const entry = (path: string, username: string, password: string, removedKeys?: string[]): DocumentEntry => {
  const shape = documentShape({ name: path, format: "json", extras: EXTRAS }, KIND);
  if (shape === undefined) throw new Error("no shape");
  return documentEntry(shape, removedKeys, { username }, (template) =>
    String(rendered(template, { username, password })),
  );
};

let paths = 0;
const newPath = () => `database/document-${++paths}`;

describe.each(["vault", "aws"] as const)("a JSON document in %s", (store) => {
  const { put, get } = BACKENDS[store];
  const client = () => BACKENDS[store].client();
  const write = (now: DocumentEntry, known: readonly DocumentEntry[], force = false) =>
    writeEntry(client(), { entry: now, known, force, whenForeign: "TWO WAYS ON" });

  it("is exactly what RDS Proxy and External Secrets read, written as one version, with the keys of others kept", async () => {
    const path = newPath();
    const [old, next] = [entry(path, "trader_b", "old"), entry(path, "trader_a", "n:w/@")];
    await put(path, '{"owner":"desk-7","id":12345678901234567890}');
    await write(old, []);
    const read = await client().read(path);
    const { version, wrote } = await write(next, [old]);
    expect([wrote, version === read?.version]).toEqual([true, false]);
    const { owner, id: _, ...ours } = (await get(path)) ?? {};
    expect(owner).toBe("desk-7");
    expect(ours).toEqual({
      ...{
        engine: "postgres",
        host: "db.internal",
        port: 5432,
        dbname: "trader",
        username: "trader_a",
        password: "n:w/@",
      },
      url: "postgresql+psycopg://trader_a:n%3Aw%2F%40@db.internal:5432/trader",
    });
    if (store === "aws") expect((await client().read(path))?.document).toContain('"id":12345678901234567890');
    expect(await write(next, [old])).toMatchObject({ wrote: false, version });
  });

  it.each(["password", "host", "url"])(
    "changed by another writer in %s alone is refused, and overwritten with force",
    async (key) => {
      const path = newPath();
      const [old, next] = [entry(path, "trader_b", "s3cret-old"), entry(path, "trader_a", "s3cret-new")];
      await write(old, []).catch(async () => {
        await put(path, "{}");
        await write(old, []);
      });
      const theirs = { ...(await get(path)), [key]: "s3cret-theirs", mine: 1 };
      await put(path, JSON.stringify(theirs));
      for (const refused of [
        await write(next, [old]).catch(String),
        await checkUnchanged(client(), [old, next], "TWO WAYS ON").catch(String),
        await checkCurrentValue(client(), [old], "TWO WAYS ON").catch(String),
      ]) {
        expect(refused).toMatch(new RegExp(`${path}: version .*, written 20.*TWO WAYS ON`));
        expect(refused).not.toContain("s3cret");
      }
      expect(await get(path)).toEqual(theirs);
      await write(next, [old], true);
      expect(await get(path)).toMatchObject({
        username: "trader_a",
        password: "s3cret-new",
        host: "db.internal",
        mine: 1,
      });
    },
  );

  it("with the credential under other keys is refused, and one without any takes ours beside them", async () => {
    const path = newPath();
    await put(path, '{"user":"trader","pass":"s3cret"}');
    const refused = await write(entry(path, "trader_a", "new"), []).catch(String);
    expect(refused).toContain("it is there under the key `pass`");
    expect(refused).not.toContain("s3cret");
    await put(path, '{"owner":"desk-7"}');
    await write(entry(path, "trader_a", "new"), []);
    expect(await get(path)).toMatchObject({ owner: "desk-7", password: "new" });
  });

  it("loses a key that was ours, at once with the rest", async () => {
    const path = newPath();
    const old = entry(path, "trader_b", "old");
    await put(path, JSON.stringify({ owner: "desk-7", pass: "old", username: "trader_b", password: "old" }));
    await write(entry(path, "trader_a", "new", ["pass"]), [old]);
    expect(await get(path)).not.toHaveProperty("pass");
    expect(await get(path)).toMatchObject({ owner: "desk-7", password: "new" });
  });
});

it("a bare text is never replaced by a document: its readers could not read that, force or not", async () => {
  const path = newPath();
  await BACKENDS.aws.put(path, "s3cret-bare");
  for (const force of [false, true]) {
    const said = await writeEntry(awsStore(moto()), {
      ...{ entry: entry(path, "trader_a", "new"), known: [], force, whenForeign: "TWO WAYS ON" },
    }).catch(String);
    expect(said).toContain("it holds no JSON document, but a bare text");
    expect(said).not.toContain("s3cret");
  }
});

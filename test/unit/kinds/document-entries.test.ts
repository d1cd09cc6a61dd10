import { describe, expect, it } from "vitest";
import { alpacaKey } from "../../../kinds/alpaca-key/schema";
import { alpacaPairs } from "../../../kinds/alpaca-key/supplied";
import { keyEntries } from "../../../kinds/issuer/keys";
import { documentShapes, plainly } from "../../../kinds/own-password/entries";
import { adoptedEntries, entriesOf } from "../../../kinds/own-password/own-kind";
import { postgresLogin } from "../../../kinds/postgres-password/credentials";
import { ownPassword, passwordDocument } from "../../../kinds/postgres-password/schema";
import { pathsOf } from "../../../kinds/schemas";

const password = (more: object) =>
  ownPassword.parse({
    ...{
      kind: "postgres-password",
      name: "database/password",
      database: { host: "::1", name: "trader" },
      restart: ["x"],
    },
    ...more,
  });
const LOGIN = { username: "trader_a", password: "p/1", apply: plainly };
const shapesOf = (secret: ReturnType<typeof password>) => documentShapes(secret, passwordDocument(secret), undefined);
const entries = (secret: ReturnType<typeof password>) =>
  entriesOf(postgresLogin, secret, shapesOf(secret), LOGIN, true);

const NAME = { path: "database/username", value: "trader_a", public: true };
const VALUE = { path: "database/password", value: "p/1" };
const fields = { username: { value: "trader_a", public: true }, password: { value: "p/1" } };

describe("the store's entries of a login", () => {
  it("are a path for each part, one document, or both", () => {
    expect(entries(password({}))).toEqual([NAME, VALUE]);
    expect(entries(password({ strategy: "single-user" }))).toEqual([VALUE]);
    expect(entries(password({ format: "json" }))).toEqual([{ path: "database/password", fields }]);
    expect(entries(password({ format: "both", path: "database/trader", removedKeys: ["old"] }))).toEqual([
      { path: "database/trader", fields, removed: ["old"] },
      NAME,
      VALUE,
    ]);
    for (const more of [{}, { format: "json" }, { format: "both", path: "database/trader" }]) {
      const secret = password(more);
      expect(entries(secret).map(({ path }) => path)).toEqual(pathsOf(secret));
    }
  });

  it("of an external write that is adopted are the password alone, whatever else is derived from it", () => {
    const extras = { url: "postgres://{username}:{password}@{host}/{dbname}", port: "{port}" };
    const secret = password({ format: "json", keys: { username: "user", password: "pass" }, extras });
    const shapes = shapesOf(secret);
    expect(adoptedEntries(postgresLogin, secret, shapes, LOGIN)).toEqual([
      { path: "database/password", fields: { pass: { value: "p/1" } } },
    ]);
    expect(entriesOf(postgresLogin, secret, shapes, LOGIN, true)).toEqual([
      {
        path: "database/password",
        fields: {
          ...{ user: { value: "trader_a", public: true }, pass: { value: "p/1" }, port: { value: 5432, public: true } },
          url: { value: "postgres://trader_a:p%2F1@[::1]/trader" },
        },
      },
    ]);
  });
});

describe("the store's entries of an Alpaca pair", () => {
  const pair = { keyId: "PK1", secretKey: "s1" };
  const key = (more: object) => alpacaKey.parse({ kind: "alpaca-key", restart: ["x"], ...more });
  it("are two paths, or one document with names of the user's choice", () => {
    expect(keyEntries(alpacaPairs, key({}), pair)).toEqual([
      { path: "alpaca/api_key_id", value: "PK1" },
      { path: "alpaca/api_secret_key", value: "s1" },
    ]);
    const keys = { keyId: "APCA_API_KEY_ID", secretKey: "APCA_API_SECRET_KEY" };
    expect(keyEntries(alpacaPairs, key({ format: "json", keys, extras: { feed: "iex" } }), pair)).toEqual([
      {
        path: "alpaca/api_key",
        fields: {
          ...{ APCA_API_KEY_ID: { value: "PK1" }, APCA_API_SECRET_KEY: { value: "s1" } },
          feed: { value: "iex", public: true },
        },
      },
    ]);
    expect(keyEntries(alpacaPairs, key({ format: "both" }), pair).map(({ path }) => path)).toEqual(
      pathsOf(key({ format: "both" })),
    );
  });
});

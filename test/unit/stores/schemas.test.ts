import { describe, expect, it } from "vitest";
import { vaultOf } from "../../../stores";
import { type StoreConfig, schemaOf, storeReference } from "../../../stores/schemas";

const STORES: readonly [config: StoreConfig, reference: string, place: string, host: string][] = [
  [
    { kind: "vault", mount: "secret" },
    '{"kind":"vault","mount":"secret","environment":"paper"}',
    "secret/paper/database/password",
    "localhost",
  ],
  [
    { kind: "vault", mount: "kv", address: "https://vault.internal:8200" },
    '{"kind":"vault","mount":"kv","environment":"paper","address":"https://vault.internal:8200"}',
    "kv/paper/database/password",
    "vault.internal",
  ],
  [
    { kind: "aws", region: "us-east-1", recoveryWindowDays: 30 },
    '{"kind":"aws","region":"us-east-1","environment":"paper"}',
    "paper/database/password",
    "AWS",
  ],
  [
    { kind: "aws", region: "us-east-1", recoveryWindowDays: 0, kmsKeyId: "k", endpoint: "http://127.0.0.1:5000" },
    '{"kind":"aws","region":"us-east-1","environment":"paper","endpoint":"http://127.0.0.1:5000"}',
    "paper/database/password",
    "127.0.0.1",
  ],
];

describe.each(STORES)("the store %j", (config, text, place, host) => {
  const schema = schemaOf(config);
  const reference = schema.referenceOf(config, "paper");

  it("is reached as the state of every stack has it, byte for byte", () => {
    expect(JSON.stringify(reference)).toBe(text);
    expect(storeReference.parse(reference)).toEqual(reference);
  });

  it("says where it keeps a path, and which host has it", () => {
    expect(schema.placeOf(reference, "database/password")).toBe(place);
    expect(schema.host(config)).toBe(host);
  });

  it("is Vault's or not, whether the config or a step asks", () => {
    const address = config.kind === "vault" ? { address: config.address } : undefined;
    expect([schema.vault(config), schema.vault(reference)]).toEqual([address, address]);
    if (config.kind !== "vault") expect(() => vaultOf(reference)).toThrow("expected a store of the kind vault");
  });
});

it("what only a lab may have is named by its key", () => {
  const [, , real, lab] = STORES.map(([config]) =>
    schemaOf(config)
      .onlyInLab(config)
      .map(({ key }) => key),
  );
  expect([real, lab]).toEqual([[], ["endpoint", "recoveryWindowDays"]]);
});

it("a kind that is no store's is none of the right shape", () => {
  expect(() => schemaOf({ kind: "toy" as never })).toThrow(TypeError);
});

import { describe, expect, it } from "vitest";
import * as z from "zod";
import { holdsSecrets, isSecret, keysWithSecrets, partsOf, secret, secretsIn } from "../../../core/secret-fields";

describe("secretsIn", () => {
  it("finds what is in a marked field, however it is wrapped", () => {
    const one = secret(z.string());
    const shapes: [z.ZodType, unknown][] = [
      [z.object({ a: one, b: z.string() }), { a: "s", b: "n" }],
      [z.object({ a: one.min(1).max(9).describe("x").optional().nullable().default("y") }), { a: "s" }],
      [z.array(z.record(z.string(), one)), [{ name: "s" }]],
      [
        z.discriminatedUnion("k", [z.object({ k: z.literal("a"), a: one }), z.object({ k: z.literal("b") })]),
        { k: "a", a: "s" },
      ],
      [z.object({ a: one }).transform(({ a }) => ({ a })), { a: "s" }],
      [z.preprocess((value) => value, z.object({ a: one })), { a: "s" }],
      [z.lazy(() => z.object({ a: one })), { a: "s" }],
      [z.object({ a: secret(z.object({ b: z.array(z.string()) })) }), { a: { b: ["s"] } }],
      [one.default("x"), "s"],
      [z.object({ a: one.prefault("x") }), { a: "s" }],
      [z.object({ a: z.nonoptional(one.optional()) }), { a: "s" }],
      [z.object({ a: one }).readonly(), { a: "s" }],
      [z.object({ a: one.catch("x") }), { a: "s" }],
      [z.union([z.string(), z.array(one)]), ["s", "s"]],
      [z.tuple([z.string()]).or(z.object({ a: one })), { a: "s" }],
    ];
    for (const [shape, value] of shapes) expect(secretsIn(shape, value)).toEqual(["s"]);
  });

  it("marks a field, and not the schema that it shares with others", () => {
    const url = z.url();
    const shape = z.object({ webhook: secret(url), address: url });
    expect(secretsIn(shape, { webhook: "https://a", address: "https://b" })).toEqual(["https://a"]);
  });

  it("takes neither a secret's name nor a public value for one", () => {
    const entry = z.object({ path: z.string(), value: secret(z.string()) });
    const value = [
      { path: "database/username", value: "trader_a", public: true },
      { path: "database/password", value: "p2" },
    ];
    expect(secretsIn(z.array(entry), value)).toEqual(["p2"]);
    expect(secretsIn(entry, { ...value[1], public: "true" })).toEqual(["p2"]);
    expect(secretsIn(entry, { path: "s1", other: "s2", toString: "s3" })).toEqual([]);
  });

  it("takes all of what is not as the schema wants it", () => {
    const shape = z.object({ adopted: z.record(z.string(), secret(z.string())), name: z.string() });
    expect(secretsIn(shape, { adopted: "hunter2", name: ["n"] })).toEqual(["hunter2"]);
    expect(secretsIn(shape, { adopted: { a: ["x", { b: 123456 }] } })).toEqual(["x", "123456"]);
    expect(secretsIn(shape, { adopted: { a: true, b: null, c: { d: false } } })).toEqual([]);
    expect(secretsIn(z.object({ adopted: z.array(secret(z.string())) }), { adopted: 7 })).toEqual(["7"]);
    for (const none of [undefined, null, "x", 7]) expect(secretsIn(z.string(), none)).toEqual([]);
    expect(secretsIn(shape, undefined)).toEqual([]);
    expect(secretsIn(shape, null)).toEqual([]);
  });
});

describe("a schema's parts", () => {
  const one = z.string();
  const two = z.number();
  const none = { keys: {}, entry: undefined, same: [] };

  it("are its keys, its entries, or what it wraps", () => {
    expect(partsOf(one)).toEqual(none);
    expect(partsOf(z.object({ one, two }))).toEqual({ ...none, keys: { one, two } });
    expect(partsOf(z.array(two))).toEqual({ ...none, entry: two });
    expect(partsOf(z.record(one, two))).toEqual({ ...none, entry: two });
    expect(partsOf(z.union([one, two]))).toEqual({ ...none, same: [one, two] });
    expect(partsOf(one.pipe(two as never))).toEqual({ ...none, same: [one, two] });
    for (const wrapped of [one.optional(), one.nullable(), one.default(""), one.readonly(), z.lazy(() => one)])
      expect(partsOf(wrapped)).toEqual({ ...none, same: [one] });
  });

  it("hold a marked one, at any depth, also of a schema that holds itself", () => {
    interface Tree {
      readonly below?: readonly Tree[] | undefined;
    }
    const plain: z.ZodType<Tree> = z.object({ below: z.array(z.lazy(() => plain)).optional() });
    expect(holdsSecrets(plain)).toBe(false);
    expect(holdsSecrets(z.object({ plain, deep: z.array(z.object({ a: secret(one) })) }))).toBe(true);
    expect([isSecret(secret(one)), isSecret(one), isSecret(z.object({ a: secret(one) }))]).toEqual([
      true,
      false,
      false,
    ]);
    expect(keysWithSecrets({ name: one, key: secret(one), keys: z.array(secret(one)), count: two })).toEqual([
      ...["key", "keys"],
    ]);
  });
});

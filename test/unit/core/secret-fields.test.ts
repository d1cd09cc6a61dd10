import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as z from "zod";
import { configSecrets } from "../../../cli/operate/secrets";
import { SECRET_KEYS, schema } from "../../../config/schema";
import { redact } from "../../../core/redact";
import { isSecret, partsOf } from "../../../core/secret-fields";
import { configWith, parse } from "../config/example";

/** What a key is called under which a credential may stand. */
const CREDENTIAL = /pass(word|phrase)|secret|token|key|credential|verifier|webhook|private|adopted/i;

/** Keys that sound like one and name something else, with what they hold. */
const NAMES: Readonly<Record<string, string>> = {
  hostKey: "a public key",
  keyIdPath: "a path",
  secretKeyPath: "a path",
  kmsKeyId: "a key's name",
  secrets: "the secrets' settings",
  secret: "a secret's name",
  secretName: "a secret's name",
  passwordRule: "how passwords are made",
  stepKey: "a step of the state",
  externalSecret: "a Kubernetes object's name",
  vaultStaticSecret: "a Kubernetes object's name",
  keys: "names of a Kubernetes Secret's fields",
};

/** Every text field of a schema by its path, with whether it or something above it is marked. */
function fieldsOf(
  one: z.core.$ZodType,
  isMarked: (one: z.core.$ZodType) => boolean,
  at: readonly string[] = [],
  marked = false,
): { path: string[]; marked: boolean }[] {
  // Any JSON, which contains itself.
  if ((one as z.core.$ZodTypes)._zod.def.type === "lazy") return [];
  const { keys, entry, same } = partsOf(one);
  const is = marked || isMarked(one);
  const own = (one as z.core.$ZodTypes)._zod.def.type === "string" ? [{ path: [...at], marked: is }] : [];
  return [
    ...own,
    ...Object.entries(keys).flatMap(([key, part]) => fieldsOf(part, isMarked, [...at, key], is)),
    ...(entry === undefined ? [] : fieldsOf(entry, isMarked, at, is)),
    ...same.flatMap((part) => fieldsOf(part, isMarked, at, is)),
  ];
}

const unmarked = (one: z.core.$ZodType, isMarked = isSecret) =>
  fieldsOf(one, isMarked)
    .filter(({ path: at, marked }) => {
      // What is above may sound like a credential too: `adopted`, by the secret's name.
      const sounds = at.some((key) => CREDENTIAL.test(key) && NAMES[key] === undefined);
      return sounds && !marked;
    })
    .map(({ path: at }) => at.join("."));

/** Fields beside a credential, in an object whose name sounds like one. */
const BESIDE = [
  ...["alpacaKeys.current.label", "alpacaKeys.previous.label"],
  ...["apiKeys.current.label", "apiKeys.previous.label", "key.label"],
  ...["store.auth.tokenVariable", "store.auth.tokenFile", "store.auth.tokenFile", "store.webIdentity.tokenFile"],
  ...["services.connects.tokenFile", "database.places.readers.tokenFile", "rehearsal.places.readers.tokenFile"],
  "rehearsal.store.reference.webIdentity.tokenFile",
  // Names of keys of a document.
  ...["secrets.removedKeys", "secrets.keys.username", "secrets.keys.password"],
  ...["secrets.keys.keyId", "secrets.keys.secretKey"],
];

/** The path of a key's file is none, and no host's name. */
const isOdd = (field: string) => !BESIDE.includes(field) && !/\.(sslkey|hostKeyAlias|tls\.key)$/.test(field);

const steps = path.join(__dirname, "..", "..", "..", "steps");

/** The input of every program in `steps/`. */
async function stepInputs(): Promise<Record<string, z.core.$ZodType>> {
  const found: Record<string, z.core.$ZodType> = {};
  // Files share a worker: nothing that was loaded before may be taken, and nothing of this may stay.
  vi.resetModules();
  onTestFinished(() => {
    vi.doUnmock("../../../steps/run-step");
    vi.resetModules();
  });
  const programs = readdirSync(steps).filter(
    (file) => file.endsWith(".ts") && /^await runStep\(/m.test(readFileSync(path.join(steps, file), "utf8")),
  );
  for (const file of programs) {
    vi.doMock("../../../steps/run-step", async (original) => ({
      ...(await original<typeof import("../../../steps/run-step")>()),
      runStep: (input: z.core.$ZodType) => {
        found[file] = input;
      },
    }));
    await import(path.join(steps, file));
  }
  return found;
}

describe("a field that sounds like a credential", () => {
  it("is marked in the config", () => {
    expect(unmarked(schema).filter(isOdd)).toEqual([]);
    expect(SECRET_KEYS).toEqual([
      "notify",
      "events",
      "adopted",
      "connectionPasswords",
      "alpacaKeys",
      "apiKeys",
      "fingerprintKey",
      "vaultSecretId",
      "sslPassword",
      "sshPrivateKey",
      "sshKeyPassphrase",
    ]);
  });

  it("is marked in the input of every step", async () => {
    const inputs = await stepInputs();
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(["preflight.ts", "verify-login.ts", "dry-run.ts"]));
    // The marks that these schemas, which were loaded anew, were given.
    const marks = await import("../../../core/secret-fields");
    for (const [file, input] of Object.entries(inputs))
      expect(unmarked(input, marks.isSecret).filter(isOdd), file).toEqual([]);
    expect(marks.holdsSecrets(inputs["verify-login.ts"] as z.core.$ZodType)).toBe(true);
  });

  it("and would be found if it is not", () => {
    expect(
      unmarked(z.object({ token: z.string(), a: z.object({ keyId: z.string().optional() }), path: z.string() })),
    ).toEqual(["token", "a.keyId"]);
  });
});

describe("messages about any config", () => {
  const value = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme-ascii" }).filter((text) => text.trim() !== "");
  const long = fc.stringMatching(/^[A-Za-z0-9!#%&*+/=?^_~-]{8,40}$/);

  it("hide each marked value and keep each name", () => {
    const given = fc.record({ password: value, keyId: long, secretKey: long, mail: value, hook: fc.webUrl() });
    fc.assert(
      fc.property(given, ({ password, keyId, secretKey, mail, hook }) => {
        const config = parse(
          configWith(
            [["secrets", 1], { kind: "alpaca-key", restart: ["orchestrator"] }],
            [["adopted"], { "database/password": `pw ${password}` }],
            [["alpacaKeys"], { "alpaca/api_key": { current: { label: "paper-2026-11-23", keyId, secretKey } } }],
            [
              ["notify"],
              { slackWebhook: hook, email: { host: "mail", from: "a@b", to: ["c@d"], password: `pw ${mail}` } },
            ],
            [["request"], { id: "7", secret: "database/password", rotate: true, reason: "a drill" }],
          ),
        );
        const secrets = configSecrets(config);
        expect(new Set(secrets)).toEqual(
          new Set([`pw ${password}`, keyId, secretKey, hook, `pw ${mail}`, config.sshPrivateKey]),
        );
        const names =
          "pulumi config rm --path 'secret-rotation:adopted[\"database/password\"]'; trader, trader_a on db.internal:5432, " +
          "alpaca/api_key, orchestrator, signal-service, trading-1, paper-2026-11-23, a@b, c@d, request 7: a drill";
        const said = redact(`${names} | ${secrets.join(" | ")}`, secrets);
        expect(said).toBe(`${names} | ${secrets.map(() => "[secret]").join(" | ")}`);
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { auditDatabase, ConfigError, parseConfig, policyOf } from "../../../config";
import { parseDuration } from "../../../core/duration";
import { asPulumi, configWith, type Key, parse, rightSecret } from "./example";

describe("a config that is right", () => {
  it("gets the runbook's numbers by default", () => {
    const config = parse(configWith());
    const [day, minute] = [parseDuration("24h"), parseDuration("60s")];
    expect(config.policy).toEqual({
      maxAge: 90 * day,
      lead: day,
      gracePeriod: day,
      gracePeriodMax: 7 * day,
      retryAfter: day,
    });
    expect(config.store).toEqual({ kind: "vault", mount: "secret" });
    expect(config.preflight).toEqual({ allowOpenMarket: false, rehearse: true });
    expect(config.hosts).toMatchObject({ "trading-1": { port: 22 } });
    expect(config.services).toMatchObject({ "signal-service": { timeout: minute }, orchestrator: { hosts: [] } });
    expect(config.secrets[0]).toMatchObject({
      strategy: "alternating-users",
      role: "trader",
      database: { port: 5432, sslmode: "require" },
    });
    expect(config.request).toBeUndefined();
    expect(config.lab).toBeUndefined();
  });

  it("takes a second database in four lines of YAML", () => {
    const four = `
- kind: postgres-password
  name: risk/password
  database: { host: db-2.internal, name: risk }
  restart: [orchestrator]
`;
    const { secrets } = parse(configWith([["secrets", 1], parseYaml(four)[0]]));
    expect(secrets[1]).toMatchObject({ name: "risk/password", role: "risk", strategy: "alternating-users" });
  });

  it("keeps a role that is named unlike its database", () => {
    expect(parse(configWith([["secrets", 0, "role"], "owner"])).secrets[0]).toMatchObject({ role: "owner" });
  });

  it("lets a secret be stricter than the stack", () => {
    const config = parse(
      configWith([["policy"], { lead: "48h" }], [["secrets", 0], rightSecret({ policy: { maxAge: "30d" } })]),
    );
    const [secret] = config.secrets;
    if (secret === undefined) throw new Error("no secret");
    expect(policyOf(config, secret)).toMatchObject({ maxAge: parseDuration("30d"), lead: parseDuration("48h") });
  });

  it("keeps the audit log in the first secret's database, or in its own", () => {
    expect(auditDatabase(parse(configWith()))).toMatchObject({ host: "db.internal", name: "trader" });
    const audit = { host: "audit.internal", name: "audit" };
    expect(auditDatabase(parse(configWith([["audit"], audit])))).toMatchObject({ ...audit, port: 5432 });
  });

  it("takes the number that `pulumi config set --path request.id 7` writes as an id", () => {
    const request = { id: 7, secret: "database/password", activate: 0, reason: "a test" };
    expect(parse(configWith([["request"], request])).request).toEqual({ ...request, id: "7" });
  });

  it("needs nobody to ask for market hours if the market may be open", () => {
    const config = configWith([["alpaca"], undefined], [["preflight"], { allowOpenMarket: true }]);
    expect(parse(config).alpaca).toBeUndefined();
  });

  it("leaves other projects' keys alone", () => {
    expect(() => parseConfig({ ...asPulumi(configWith()), "aws:region": "us-east-1" }, "paper")).not.toThrow();
  });
});

/** Every path of the right config, and keys that it could have. */
const PATHS: Key[][] = [
  ...pathsOf(configWith()),
  ...[
    "policy",
    "policy.maxAge",
    "policy.lead",
    "preflight",
    "audit",
    "request",
    "request.id",
    "request.activate",
    "lab",
  ].map((path) => path.split(".")),
  ["lab", "clock"],
  ["secrets", 0, "policy", "lead"],
  ["secrets", 1],
  ["unknown"],
  ["__proto__"],
];

function pathsOf(value: unknown, path: Key[] = []): Key[][] {
  if (typeof value !== "object" || value === null) return [path];
  const entries: [Key, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...(path.length === 0 ? [] : [path]), ...entries.flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

const junk = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>("", "constructor", "__proto__", "90d", "127.0.0.1", [], {}, null, [null], [[]], -1, 1e99),
  fc.constantFrom<unknown>([rightSecret(), rightSecret()], [{ kind: "postgres-password" }], { clock: "now" }),
);

describe("whatever is in the config", () => {
  it("is accepted or refused with a ConfigError that shows no secret", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...PATHS), junk), { minLength: 1, maxLength: 4 }), (changes) => {
        const wrong = refusalOf(() => parse(changed(changes)));
        expect(wrong).not.toMatch(/hunter2|OPENSSH|b3BlbnNzaC/);
      }),
      { numRuns: 500 },
    );
  });

  it("never shows a text from below `adopted` or `sshPrivateKey`", () => {
    const secret = fc.string({ minLength: 6, maxLength: 40 }).map((text) => `s3cr3t-${text}`);
    const below = fc.oneof(
      fc.dictionary(secret, fc.oneof(secret, fc.constant("database/password"))),
      fc.dictionary(
        fc.constantFrom("database/password", "other/password"),
        fc.oneof(secret, fc.array(secret), fc.integer()),
      ),
      fc.array(secret),
      secret,
    );
    fc.assert(
      fc.property(below, below, (adopted, sshPrivateKey) => {
        const changes: [Key[], unknown][] = [
          [["adopted"], adopted],
          [["sshPrivateKey"], sshPrivateKey],
        ];
        expect(refusalOf(() => parse(changed(changes)))).not.toContain("s3cr3t-");
      }),
      { numRuns: 300 },
    );
  });

  it("is accepted or refused with a ConfigError also if Pulumi hands over no JSON", () => {
    const texts = fc.dictionary(
      fc.constantFrom(
        ...Object.keys(configWith()).map((key) => `secret-rotation:${key}`),
        "secret-rotation:",
        "other:key",
      ),
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((text) => text.slice(1)),
      ),
    );
    fc.assert(
      fc.property(texts, (raw) => void refusalOf(() => parseConfig(raw, "paper"))),
      { numRuns: 300 },
    );
  });
});

/** Changes that cannot be made, since an earlier one put something else there, are left out. */
function changed(changes: readonly (readonly [Key[], unknown])[]): Record<string, unknown> {
  const config = configWith();
  for (const [path, shared] of changes) {
    const value = structuredClone(shared);
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((at, key) => (at as Record<Key, unknown> | null | undefined)?.[key], config);
    if (typeof parent !== "object" || parent === null) continue;
    Object.defineProperty(parent, path.at(-1) as Key, { value, enumerable: true, configurable: true, writable: true });
  }
  return config;
}

/** The message of the refusal; empty where it was accepted. */
function refusalOf(attempt: () => unknown): string {
  try {
    attempt();
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

import { describe, expect, it } from "vitest";
import { auditRows, stateOf, up, useBench } from "./harness";
import { databaseOf, expectRefusal, type Fault, secretOf } from "./input-support";

const password = (more: Record<string, unknown>) => ({
  id: "r-1",
  secret: "database/password",
  reason: "a test",
  ...more,
});

/** Wrong settings, as somebody would write them, and what the real engine must print of them. */
const FAULTS: Record<string, Fault> = {
  "an unknown key": {
    settings: (settings) => Object.assign(settings, { polcy: { maxAge: "90d" } }),
    says: [
      "1 setting is wrong in the config of stack paper:",
      "secret-rotation:polcy: unknown key; expected one of environment, policy",
    ],
  },
  "a wrong type": {
    settings: (settings) => Object.assign(databaseOf(settings), { port: "5432" }),
    says: ['secret-rotation:secrets[0].database.port: expected a number, found "5432"'],
  },
  "a missing field": {
    settings: (settings) => delete secretOf(settings).restart,
    says: ["secret-rotation:secrets[0].restart: expected a list, found nothing"],
  },
  "a bad duration": {
    settings: (settings) => Object.assign(settings, { policy: { maxAge: "3 months" } }),
    says: ['secret-rotation:policy.maxAge: expected a duration such as 90d, 24h, 30m or 45s, found "3 months"'],
  },
  "a lead that is as long as maxAge": {
    settings: (settings) => Object.assign(settings, { policy: { maxAge: "24h", lead: "1d" } }),
    says: ["secret-rotation:policy.lead: expected less than maxAge (1d), found 1d"],
  },
  "a service that does not exist": {
    settings: (settings) => Object.assign(secretOf(settings), { restart: ["signal-servce"] }),
    says: [
      /secrets\[0\]\.restart\[0\]: expected an entry of services \(one of .*orchestrator, .*signal-service\), found signal-servce/,
    ],
  },
  "the same secret twice": {
    settings: (settings) => (settings.secrets as unknown[]).push(secretOf(settings)),
    says: [
      "secret-rotation:secrets[1].name: expected a name of its own, found database/password, which secrets[0] has already",
    ],
  },
  "an unknown store": {
    settings: (settings) => Object.assign(settings, { store: { kind: "gcp" } }),
    says: [/secret-rotation:store\.kind: expected (one of )?vault.*, found "gcp"/],
  },
  "a request for an unknown secret": {
    settings: (settings) =>
      Object.assign(settings, { request: password({ secret: "database/pasword", rotate: true }) }),
    says: ["secret-rotation:request.secret: expected the name of a secret (database/password), found database/pasword"],
  },
  "a rollback where nothing was rotated": {
    settings: (settings) => Object.assign(settings, { request: password({ activate: 7 }) }),
    says: ["request r-1: database/password has no generation 7 in its slots; "],
  },
  "a rollback to an adopted value that nobody knows": {
    settings: (settings) => Object.assign(settings, { request: password({ activate: 0 }), adopted: {} }),
    says: [
      "request r-1: database/password has no generation 0 in its slots; there is nothing to roll back to. Its value was never given: set the secret config key `adopted`.",
    ],
  },
  "a clock in the environment prod": {
    settings: (settings) => Object.assign(settings, { environment: "prod" }),
    says: ["secret-rotation:lab: a stack of the environment prod is never a lab; remove this key"],
  },
  "a clock beside a real database": {
    settings: (settings) => Object.assign(databaseOf(settings), { host: "db.example.com" }),
    says: [
      "secret-rotation:lab: only a lab may set the clock, and db.example.com is not a loopback address; remove this key",
    ],
  },
  "many things at once": {
    settings: (settings) => {
      Object.assign(settings, { polcy: {}, store: { kind: "gcp" } });
      Object.assign(secretOf(settings), { role: 5, restart: ["signal-servce"] });
    },
    says: [
      "4 settings are wrong",
      "store.kind",
      "secrets[0].role: expected text, found 5",
      "polcy",
      "secrets[0].restart[0]",
    ],
  },
};

describe("wrong settings, by plain `pulumi up`", () => {
  const bench = useBench();

  it.each(Object.entries(FAULTS))("%s: one message, nothing changed", async (_, fault) => {
    const printed = await expectRefusal(bench(), fault);
    expect(printed).toContain("nothing was changed");
  });

  it("once all of that is right, takes numbers and booleans as `pulumi config set --path` writes them", async () => {
    const { stack } = bench();
    const settings = {
      "policy.maxAge": "60d",
      "preflight.allowOpenMarket": "true",
      "request.id": "7",
      "request.secret": "database/password",
      "request.rotate": "true",
      "request.reason": "a test",
    };
    for (const [path, value] of Object.entries(settings)) {
      const { exitCode, stderr } = await stack.pulumi(["config", "set", "--plaintext", "--path", path, value]);
      expect(exitCode, stderr).toBe(0);
    }
    await up(bench());
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1, handledRequest: "7" });
    expect(await auditRows(bench())).toHaveLength(1);
  });
});

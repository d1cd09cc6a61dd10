import { describe, expect, it } from "vitest";
import { isRolledOut, restOf, rolledOutInterpreter, stepOf, stepProgram } from "../../../core/phases";
import { nameOf, restartName, restartOf, secretOf, slugOf } from "../../../core/resource-names";

describe("a resource's name", () => {
  it("begins with its secret's, the longest that fits", () => {
    expect(slugOf("live/database/password")).toBe("live-database-password");
    const secrets = ["database/password", "database/password-report", "alpaca/key"];
    const owner = (resource: string) => secretOf(resource, secrets);
    expect(owner("database-password-restart-api")).toBe("database/password");
    expect(owner("database-password")).toBe("database/password");
    expect(owner("database-password-report")).toBe("database/password-report");
    expect(owner("database-password-report-audit")).toBe("database/password-report");
    expect(secretOf("database-password-report-audit", secrets.toReversed())).toBe("database/password-report");
    for (const resource of ["database-passwords", "database", "my-database-password"])
      expect(owner(resource)).toBeUndefined();
    expect(restOf("database-password-slot-a-password", "database/password", "slot")).toBe("-a-password");
  });
});

it("a restart's name says which service and host, however alike they are", () => {
  const secret = "database/password";
  const services = { api: { hosts: [] }, "api-b": { hosts: ["one", "two"] }, c: { hosts: ["one"] } };
  const [onOne, here] = ["one", undefined].map((host) => restartName(secret, "api-b", host));
  expect([onOne, here]).toEqual(["database-password-restart-api-b-one", "database-password-restart-api-b"]);
  for (const [service, host] of [
    ["api", undefined],
    ["api-b", undefined],
    ["api-b", "one"],
    ["api-b", "two"],
    ["c", "one"],
  ] as const)
    expect(restartOf(restartName(secret, service, host), secret, services)).toEqual({ service, host });
  for (const resource of ["database-password-restart-c-two", "database-password-restart-d", "alpaca-key-restart-api"])
    expect(restartOf(resource, secret, services)).toBeUndefined();
  expect(nameOf("urn:pulumi:paper::secret-rotation::a$b::database-password")).toBe("database-password");
});

describe("a step's command", () => {
  it("is read back with what it is about", () => {
    expect(stepProgram("store-write")).toBe("node dist/steps/store-write.mjs");
    for (const about of [undefined, "database/password", "a b", "", "it's of a desk", "'", "two\nlines"]) {
      const create = stepProgram("store-write", about);
      expect(stepOf({ newInputs: { create } })).toEqual({ step: "store-write", about });
      expect(stepOf({ oldInputs: { create } })).toEqual({ step: "store-write", about });
    }
  });

  it("is that of the new inputs if there are both", () => {
    const [newInputs, oldInputs] = ["a", "b"].map((step) => ({ create: stepProgram(step) }));
    expect(stepOf({ newInputs, oldInputs } as never)?.step).toBe("a");
  });

  it("is none of another program", () => {
    for (const create of [
      "true",
      "cd x; node dist/steps/a.mjs",
      "node dist/steps/a.mjsx",
      "node dist/steps/a.mjs;true",
    ])
      expect(stepOf({ newInputs: { create } })).toBeUndefined();
    expect(stepOf({})).toBeUndefined();
  });

  it("only notes an activation that was rolled out before", () => {
    const interpreter = rolledOutInterpreter("3 by request leak-17");
    expect(interpreter).toEqual(["/usr/bin/env", "ROLLED_OUT=3 by request leak-17", "/bin/sh", "-c"]);
    expect(isRolledOut({ interpreter, triggers: ["3 by request leak-17"] })).toBe(true);
    expect(isRolledOut({ interpreter, triggers: ["3"] })).toBe(false);
    expect(isRolledOut({ interpreter: rolledOutInterpreter("undefined"), triggers: [] })).toBe(false);
    expect(isRolledOut({ interpreter, triggers: "3 by request leak-17" })).toBe(false);
    expect(isRolledOut({ interpreter: ["/bin/sh", "-c"], triggers: ["3"] })).toBe(false);
    expect(isRolledOut({ triggers: ["3"] })).toBe(false);
  });
});

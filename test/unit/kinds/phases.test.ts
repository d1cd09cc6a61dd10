import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { type Phase, stepProgram } from "../../../core/phases";
import { phaseOf, placeOf, rowOf, stepNames, touches } from "../../../kinds/phases";

const ROLE = "postgresql:index/role:Role";
const LOGIN = "secret-rotation:index:LoginRole";
const COMMAND = "command:local:Command";

const resource = (type: string, around = "", create?: string) => ({
  type,
  name: "database-password-x",
  newInputs: create === undefined ? {} : { create },
  urn: `urn:pulumi:paper::secret-rotation::${around}${type}::database-password-x`,
});

describe("the parts of a rotation", () => {
  it("have a row for each program in steps/, and no other", () => {
    const folder = join(projectRoot(), "steps");
    const programs = readdirSync(folder).filter((file) =>
      readFileSync(join(folder, file), "utf8").includes("await runStep("),
    );
    expect(programs.map((file) => file.replace(/\.ts$/, "")).toSorted()).toEqual(stepNames().toSorted());
  });

  it.each([
    ["a step", resource("command:local:Command", "", stepProgram("set-role", "role app_a")), "database"],
    ["a resource of a provider", resource("random:index/randomPassword:RandomPassword"), "stack"],
    ["what only looks", resource("command:local:Command", "", stepProgram("verify-login")), "nothing"],
    [
      "what is inside of a component",
      resource("command:remote:Command", "secret-rotation:index:RollingRestart$"),
      "services",
    ],
    ["a component", resource("secret-rotation:index:LoginRole"), "nothing"],
    ["a provider", resource("pulumi:providers:vault"), "nothing"],
  ])("%s touches what its row says", (_, placed, expected) => expect(touches(placed)).toBe(expected));

  it.each([
    ["a type", resource("toy:index/note:Note")],
    ["a step", resource("command:local:Command", "", stepProgram("toy-write"))],
  ])("nobody can tell what %s touches that no table knows", (_, placed) => {
    expect(placeOf(placed)).toBeUndefined();
    expect(phaseOf(placed)).toBeUndefined();
    expect(touches(placed)).toBe("unknown");
  });
});

describe("a line of the plan", () => {
  interface Planned {
    readonly op?: string;
    readonly was?: Record<string, unknown>;
    readonly now?: Record<string, unknown>;
    /** The step's program, for a command. */
    readonly step?: string;
    readonly name?: string;
    readonly acts?: boolean;
  }
  const line = (type: string, { op = "update", was = {}, now = {}, step, name = "s-x", acts = true }: Planned) => {
    const inputs = step === undefined ? now : { ...now, create: stepProgram(step) };
    const urn = `urn:pulumi:paper::secret-rotation::${type}::${name}`;
    const placed = { op, type, name, urn, oldInputs: was, newInputs: inputs };
    return rowOf(placed)?.words?.(placed as never, { secret: "s", acts, phase: phaseOf(placed) });
  };
  const verifier = "SCRAM-SHA-256";
  const active = { role: "app", login: true, activation: "2", verifier };
  const stdin = (input: object) => ({ stdin: JSON.stringify(input) });

  it.each<[string, string, Planned]>([
    ["adopts the role app as it is", ROLE, { op: "import", now: { name: "app" } }],
    ["makes the role app, which may not log in yet", ROLE, { op: "create", now: { name: "app" } }],
    ["makes the role app, which may not log in yet", ROLE, { op: "create-replacement", now: { name: "app" } }],
    ["brings the role app up to date", ROLE, { was: { name: "app" } }],
    ["adopts the login of the role app as it is", LOGIN, { op: "create", now: { role: "app", login: true } }],
    ["adopts the login of the role app as it is", LOGIN, { op: "create", now: active, acts: false }],
    ["gives the role app its password (SCRAM-SHA-256)", LOGIN, { op: "create", now: active }],
    ["does not allow the role app to log in yet", LOGIN, { op: "create", now: { role: "app", login: false } }],
    ["revokes the login of the role app", LOGIN, { was: { login: true }, now: { role: "app", login: false } }],
    [
      "gives the role app its password (SCRAM-SHA-256) and lets it log in",
      LOGIN,
      { was: { login: false, activation: "1" }, now: active },
    ],
    ["gives the role app its password (SCRAM-SHA-256)", LOGIN, { was: { login: true, activation: "1" }, now: active }],
    [
      "gives the role app its password (SCRAM-SHA-256) and lets it log in; then the settings and limits of app_b",
      LOGIN,
      { was: { login: false, activation: "1" }, now: { ...active, copies: "app_b" } },
    ],
    ["lets the role app log in", LOGIN, { was: { login: false, activation: "2" }, now: active }],
    ["lets the role app log in", LOGIN, { was: { login: false }, now: { role: "app", login: true, activation: "" } }],
    ["lets the role app log in", LOGIN, { was: { login: false }, now: { role: "app", login: true, activation: "3" } }],
    [
      "keeps the login of the role app",
      LOGIN,
      { was: { role: "app", activation: "2" }, now: { ...active, role: undefined } },
    ],
    ["lets the role app log in", LOGIN, { was: { login: false, activation: "1" }, now: { ...active, activation: "" } }],
    [
      "gives the role app_b the settings and limits of app",
      COMMAND,
      { step: "copy-role", now: stdin({ from: "app", to: "app_b" }) },
    ],
    [
      "writes the login's verifier into PgBouncer's user list, which PgBouncer reads anew",
      COMMAND,
      { step: "pooler-users", name: "s-users" },
    ],
    [
      "takes the logins that have ended out of PgBouncer's user list",
      COMMAND,
      { step: "pooler-users", name: "s-users-settle" },
    ],
    ["lets PgBouncer's connections to the server begin anew", COMMAND, { step: "pooler-reconnect" }],
    ["notes which versions the store has", COMMAND, { step: "store-versions" }],
    ["makes the dry run", COMMAND, { step: "dry-run" }],
    ["tries a login that Vault makes for api, and ends it", COMMAND, { step: "lease-proof", name: "s-proof-api" }],
    ["has Vault end every earlier login", COMMAND, { step: "lease-end-older" }],
    [
      "has Vault rotate the password if that is requested, and reads when it last did",
      COMMAND,
      { step: "vault-rotation" },
    ],
    [
      "has Vault make logins on demand: role api",
      "vault:database/secretBackendRole:SecretBackendRole",
      { now: { name: "api" } },
    ],
    ["lets services read it: policy api", "vault:index/policy:Policy", { now: { name: "api" } }],
    [
      "has Vault rotate the password of app from now on",
      "vault:database/secretBackendStaticRole:SecretBackendStaticRole",
      { now: { username: "app" } },
    ],
  ])("%s", (expected, type, planned) => expect(line(type, planned)).toBe(expected));

  it.each<[string, Planned]>([
    ["a role that is set, which its component describes", { step: "set-role" }],
    ["a copy that does nothing", { step: "copy-role", now: stdin({ from: "app", to: "app_b", acts: false }) }],
    ["a copy to nobody", { step: "copy-role", now: stdin({ from: "app" }) }],
    ["a copy whose input is unknown", { step: "copy-role", now: { stdin: "[secret]" } }],
  ])("is left out for %s", (_, planned) => expect(line(COMMAND, planned)).toBeUndefined());

  it.each<[string, Phase, string?]>([
    ["copy-role", "database"],
    ["set-role", "database"],
    ["verify-login", "verify"],
    ["verify-login", "confirm", "s-confirm-login"],
    ["pooler-users", "database"],
    ["pooler-reconnect", "confirm"],
    ["store-versions", "preflight"],
    ["verify-alpaca", "verify"],
    ["dry-run", "confirm"],
    ["lease-proof", "verify"],
    ["lease-end-older", "settle"],
    ["vault-rotate-root", "database"],
    ["vault-rotation", "database"],
    ["vault-login", "verify"],
  ])("%s is part of: %s", (step, phase, name = "s-x") => {
    const urn = `urn:pulumi:paper::secret-rotation::${COMMAND}::${name}`;
    expect(phaseOf({ type: COMMAND, name, urn, newInputs: { create: stepProgram(step) } })).toBe(phase);
  });

  it.each<[string, Phase]>([
    ["random:index/randomPassword:RandomPassword", "new value"],
    [ROLE, "database"],
    ["vault:database/secretBackendConnection:SecretBackendConnection", "store"],
    ["vault:index/mount:Mount", "store"],
    ["vault:index/policy:Policy", "store"],
    ["vault:database/secretBackendRole:SecretBackendRole", "store"],
    ["vault:database/secretBackendStaticRole:SecretBackendStaticRole", "database"],
  ])("%s is part of: %s", (type, phase) => expect(phaseOf(resource(type))).toBe(phase));
});

import { describe, expect, it } from "vitest";
import type { Validation } from "../../cli/operate/validate";
import { ADOPTED_LABEL, suppliedKey } from "../../dev/lab/deploy";
import type { KeyIssuer } from "../../dev/lab/key-issuer";
import { keyTail } from "../../dev/lab/services/clients";
import { advised } from "../advice/table";
import { type CommandResult, json, parsed, rotation, unwrapped } from "./cli-support";
import { auditRows, setDay, stateOf, stored, UNCHANGED, up, useBench } from "./harness";

const SECRET = "market-data/api-key";
const READERS = ["market-data-service", "orchestrator"];
const SECOND = "market-data-2027-02-19";

describe("a key of any issuer through its whole life", () => {
  const bench = useBench({
    labOptions: { issuer: true, services: READERS.map((name) => ({ name, apiKey: SECRET })) },
    only: [SECRET],
  });
  const issuer = (): KeyIssuer => {
    const { issuer: found } = bench().lab;
    if (found === undefined) throw new Error("the lab has no issuer");
    return found;
  };
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts.map(({ service }) => service));
  const lastRow = async () => (await auditRows(bench())).at(-1);
  const current = async () => (await stored(bench(), SECRET)).value;
  const holdsKey = async (key: string) => {
    for (const reader of READERS) {
      const api_key = { key: keyTail(key), account: issuer().account };
      expect(await bench().lab.health(reader)).toMatchObject({ status: "healthy", api_key });
    }
  };
  const run = (command: string, input?: string) =>
    rotation(bench(), command.split(" ").slice(1), input === undefined ? {} : { input });
  const keysInConfig = async () => {
    const { stdout } = await bench().stack.pulumi(["config", "get", "apiKeys"]);
    return (JSON.parse(stdout) as Record<string, { current: object; previous?: object }>)[SECRET];
  };
  let add = "";
  let first = "";
  let second = "";

  it("is adopted: proven, compared with the store, and nothing is written or restarted", async () => {
    first = issuer().made[0]?.key ?? "";
    await up(bench());
    const { account } = issuer();
    expect(await lastRow()).toMatchObject({
      ...{ secret_name: SECRET, action: "ADOPT", generation: 0 },
      outputs: { key: { label: ADOPTED_LABEL }, identity: account },
    });
    expect([restarts(), await stored(bench(), SECRET)]).toEqual([[], { value: first, version: 1 }]);
  });

  it("key add takes a key of the same account alone, and shows it to nobody", async () => {
    await setDay(bench(), 88);
    const status = await rotation(bench(), ["status"]);
    expect(status.exitCode).toBe(3);
    add = advised("rotation key add", status.stdout);
    const given = (label: string, { key }: { key: string }) => JSON.stringify(suppliedKey(label, { key }));
    const refused = async (input: string, exitCode: number, message: string) => {
      const { stdout, stderr, ...ended } = await run(add, input);
      expect([ended.exitCode, stdout]).toEqual([exitCode, ""]);
      expect(unwrapped(stderr)).toContain(message);
      for (const { key } of issuer().made) expect(stderr).not.toContain(key);
    };
    await refused(
      given(SECOND, issuer().createKey({ account: "ACC-other" })),
      1,
      `expected ${SECOND} to belong to ${issuer().account}, as the key in use, ${ADOPTED_LABEL} does, found ACC-other`,
    );
    await refused(given(ADOPTED_LABEL, issuer().createKey()), 2, "was used before: expected a new one");
    await refused(given(SECOND, { key: first }), 2, "expected a new key, found parts of the one in use");
    expect(await keysInConfig()).not.toHaveProperty("previous");

    const made = issuer().createKey({ refusals: 1 });
    second = made.key;
    const added: CommandResult = await run(`${add} --json`, given(SECOND, made));
    expect(added.exitCode, added.stderr).toBe(0);
    expect(unwrapped(added.stderr)).toContain("answers 401; waiting up to 30 s for the issuer to activate it");
    expect(parsed(added.stdout)).toMatchObject({ secret: SECRET, label: SECOND, identity: issuer().account });
  });

  it("is previewed and rotated: every reader in order, the row, and no part of a key anywhere", async () => {
    const preview = unwrapped((await bench().stack.pulumi(["preview", "--diff"])).stdout);
    expect(preview).toContain("verify-key");
    const { stdout } = await up(bench());
    expect(await stored(bench(), SECRET)).toEqual({ value: second, version: 2 });
    expect(restarts()).toEqual(READERS);
    await holdsKey(second);
    const row = await lastRow();
    expect(row).toMatchObject({ action: "ROTATE", generation: 1, outputs: { key: { label: SECOND } } });
    const { stdout: state } = await bench().stack.pulumi(["stack", "export"]);
    for (const { key } of issuer().made)
      for (const text of [preview, stdout, state, JSON.stringify(row)]) expect(text).not.toContain(key);
    const [validation] = await json<Validation[]>(bench(), ["validate", SECRET]);
    expect(validation?.points.filter(({ verdict }) => verdict === "FAILED")).toEqual([]);
    expect(JSON.stringify(validation)).toContain("answers 200 to the key in the store");
  });

  it("another key under a known label comes into use by no update", async () => {
    const { key } = issuer().createKey();
    const keys = await keysInConfig();
    await bench().stack.configureSecret(
      "apiKeys",
      JSON.stringify({ [SECRET]: { ...keys, current: suppliedKey(SECOND, { key }) } }),
    );
    const { exitCode, stdout } = await bench().stack.pulumi(["preview"]);
    expect(exitCode).not.toBe(0);
    expect(unwrapped(stdout)).toContain(`expected the key ${SECOND} to be the one in use, found another key under its`);
    await bench().stack.configureSecret("apiKeys", JSON.stringify({ [SECRET]: keys }));
  });

  it("rolls back, sees the end of the key that was left, and forgets it", async () => {
    await bench().stack.configure("request", { id: "back", secret: SECRET, activate: 0, reason: "a test" });
    expect((await up(bench())).stdout).toContain(`the key ${SECOND} still works after the rollback`);
    expect(await current()).toBe(first);
    await holdsKey(first);
    const early = await run(`rotation key forget ${SECRET}`);
    expect([early.exitCode, unwrapped(early.stderr)]).toEqual([
      2,
      expect.stringContaining("must stay until an update has seen its end"),
    ]);

    // An issuer that refuses every key says nothing of this one.
    issuer().fault = { status: 401 };
    const unknown = unwrapped((await bench().stack.pulumi(["preview"])).stdout);
    issuer().fault = undefined;
    expect(unknown).toContain(`whether the key ${SECOND} still works is not known`);
    issuer().deleteKey(second);
    const before = restarts().length;
    await up(bench());
    expect(await lastRow()).toMatchObject({ action: "REVOKE", generation: 1, reason: "deleted after the rollback" });
    const { stdout } = await up(bench());
    expect(stdout).toMatch(UNCHANGED);
    const forget = await run(advised("rotation key forget", stdout));
    expect(forget.exitCode, forget.stderr).toBe(0);
    expect(await keysInConfig()).toEqual({ current: suppliedKey(ADOPTED_LABEL, { key: first }) });
    expect(restarts()).toHaveLength(before);
    expect(await stateOf(bench(), SECRET)).toMatchObject({ slots: [0, 1], active: 0, revoked: true });
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT", "ROTATE", "ROLLBACK", "REVOKE"]);
  });

  it("a key that its issuer ended is found, and the operator is told how to go on", async () => {
    issuer().deleteKey(first);
    const { exitCode, stdout } = await rotation(bench(), ["diagnose", SECRET]);
    expect(exitCode).toBe(1);
    expect(unwrapped(stdout)).toContain("answers 401 to the key in use: not active yet, copied wrongly, or deleted");
    expect(advised("rotation key add", stdout)).toContain(SECRET);
  });
});

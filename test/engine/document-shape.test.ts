import { describe, expect, it } from "vitest";
import { startLoad } from "../../dev/lab/load";
import { fine, json, rotation, unwrapped } from "./cli-support";
import { auditRows, login, refusedUp, setDay, setRequest, stateOf, UNCHANGED, up, useBench } from "./harness";

const SECRET = "database/password";
const OTHERS = { owner: "desk-7", poolSize: 20 };
/** As AWS documents it for its own rotation and for RDS Proxy. */
const EXTRAS = { engine: "postgres", port: "{port}" };

describe.each(["vault", "aws"] as const)("one JSON document with keys of the user's choice, in %s", (store) => {
  const databases = [
    {
      name: "trader",
      role: "trader",
      secretName: SECRET,
      document: { username: "user", password: "pass", others: OTHERS },
    },
  ];
  const bench = useBench({ labOptions: { store, databases }, adopt: false });
  const document = async () => {
    const found = await bench().lab.store.getDocument(SECRET);
    if (found === undefined) throw new Error("the document is gone");
    return found;
  };
  const url = (user: unknown, password: unknown) => `postgresql+psycopg://${user}:${password}@db.internal/trader`;
  /** The document is whole, of this user, and works; the keys of others are there. Returns the password. */
  const holds = async (user: string): Promise<string> => {
    const { data } = await document();
    const { user: name, pass, url: address, ...others } = data;
    const { port } = bench().lab.postgres;
    expect(name).toBe(user);
    expect(others).toEqual({ ...OTHERS, ...EXTRAS, port });
    const { username, password } = new URL(String(address));
    expect([username, decodeURIComponent(password)]).toEqual([user, pass]);
    expect(await login(bench(), user, String(pass))).toBe("ok");
    return String(pass);
  };
  const config = async (...args: string[]) => {
    const { exitCode, stderr } = await bench().stack.pulumi(["config", ...args]);
    expect(exitCode, stderr).toBe(0);
  };
  const set = (key: string, value: unknown) =>
    config("set", "--plaintext", "--path", `secret-rotation:secrets[0].${key}`, String(value));
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts).length;
  let [first, second] = ["", ""];

  it("is recognised by `rotation adopt`, which writes the config for it", async () => {
    const { lab } = bench();
    const { data } = await document();
    await lab.store.putDocument(SECRET, { ...data, url: url("trader", lab.adopted[SECRET]) });
    const said = unwrapped(await fine(bench(), ["adopt", SECRET]));
    expect(said).toContain('format: json, keys: {"username":"user","password":"pass"}');
    expect(said).toContain('extras: {"url":"postgresql+psycopg://{username}:{password}@db.internal/trader"}');
    expect(said).not.toContain(lab.adopted[SECRET]);
    for (const [key, template] of Object.entries(EXTRAS)) await set(`extras.${key}`, template);
  });

  it("adopts and rotates without a failed login, with the new password rule at the next rotation alone", async () => {
    const { lab, stack } = bench();
    const load = await startLoad(lab, { loginsPerSecond: 20 });
    await up(bench());
    first = await holds("trader_b");
    expect((await up(bench())).stdout).toMatch(UNCHANGED);

    await set("passwordRule.length", 40);
    await set("passwordRule.symbols", "!@/");
    await set("passwordRule.minimum.symbols", 5);
    const preview = await stack.pulumi(["preview", "--expect-no-changes"]);
    expect(preview.exitCode, preview.stdout + preview.stderr).toBe(0);
    expect(await holds("trader_b")).toBe(first);

    const { version } = await document();
    await setDay(bench(), 89);
    await up(bench());
    second = await holds("trader_a");
    expect(second).toMatch(/^[A-Za-z0-9!@/]{40}$/);
    expect(second.replace(/[^!@/]/g, "").length).toBeGreaterThanOrEqual(5);
    if (store === "vault") expect((await document()).version).toBe(Number(version) + 1);
    const { logins } = await load.stop({ logins: 20 });
    expect(logins.failures).toEqual([]);
    const rows = JSON.stringify(await auditRows(bench()));
    for (const password of [first, second]) expect(rows).not.toContain(password);
    const [{ ok, points }] = await json<[{ ok: boolean; points: object[] }]>(bench(), ["validate", SECRET]);
    expect(ok, JSON.stringify(points)).toBe(true);
  });

  it("refuses what another writer changed, be it an extra alone; diagnose writes it back", async () => {
    const { lab } = bench();
    const { data } = await document();
    const before = await stateOf(bench());
    await lab.store.putDocument(SECRET, { ...data, engine: "by-hand" });
    await setRequest(bench(), { id: "again", rotate: true });
    const said = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(said).toContain("is not what this stack wrote");
    expect(said).not.toContain(String(data.pass));
    expect((await document()).data).toEqual({ ...data, engine: "by-hand" });
    expect(await stateOf(bench())).toEqual(before);
    await config("rm", "secret-rotation:request");
    const { stdout } = await rotation(bench(), ["diagnose", SECRET, "--fix", "--yes", "--json"]);
    expect(stdout).toContain("under `engine`");
    expect((await document()).data).toEqual(data);
  });

  it("rolls back with force over an external write, to the password of the old rule", async () => {
    const { lab } = bench();
    const { data } = await document();
    await lab.store.putDocument(SECRET, { ...data, pass: "by-hand" });
    await setRequest(bench(), { id: "back", activate: 1 });
    expect((await refusedUp(bench())).replace(/\s+/g, " ")).toContain(`external write to ${SECRET}`);
    await setRequest(bench(), { id: "back", activate: 1, force: true });
    await up(bench());
    expect(await holds("trader_b")).toBe(first);
    await lab.healthy();
    // Without `force` the steps read again what there is, and change nothing.
    const { version } = await document();
    await up(bench());
    expect((await document()).version).toBe(version);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });

  it("writes a new extra at once and restarts nothing; a key that goes is refused until the config removes it", async () => {
    const { lab } = bench();
    const count = restarts();
    await set("extras.dsn", "host={host} user={username} password={password}");
    await up(bench());
    const { data } = await document();
    expect(data.dsn).toBe(`host='${lab.postgres.host}' user='trader_b' password='${data.pass}'`);
    expect(restarts()).toBe(count);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    // What an earlier config wrote is no external write.
    await set("extras.dsn", "user={username} password={password}");
    await up(bench());
    expect((await document()).data.dsn).toBe(`user='trader_b' password='${data.pass}'`);

    await config("rm", "--path", "secret-rotation:secrets[0].extras.dsn");
    const said = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(said).toContain("the config no longer has the key `dsn` of database/password");
    expect(said).toContain("removedKeys: [dsn]");
    await set("removedKeys[0]", "dsn");
    await up(bench());
    expect(await holds("trader_b")).toBe(first);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    expect(restarts()).toBe(count);
  });
});

import { describe, expect, it } from "vitest";
import { type Bench, login, refusedUp, setDay, setRequest, stateOf, UNCHANGED, up, useBench } from "./harness";

const SECRET = "database/password";
const OTHERS = { host: "db", port: "5432", dbname: "trader" };
const document = async ({ lab }: Bench, path = SECRET) => (await lab.openbao.getSecret(`paper/${path}`))?.data;
const metadata = async ({ lab }: Bench) =>
  (await lab.openbao.request("GET", `secret/metadata/paper/${SECRET}`)).data as Record<string, unknown>;

describe.each(["alternating-users", "single-user"] as const)("a document that others keep keys in, %s", (strategy) => {
  const bench = useBench({ strategies: { [SECRET]: strategy }, adopt: false });

  it.each([
    [
      "a document without `value`",
      { username: "trader", password: "OLD", host: "db" },
      "it is there under the key `password`",
    ],
    ["a value", { value: "OLD" }, "the store holds a value that this stack does not know"],
  ])("if nobody adopted it, is refused before anything changes: %s", async (_, data, words) => {
    const { lab } = bench();
    const old = String(lab.adopted[SECRET]);
    const there = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, text.replace("OLD", old)]));
    await lab.openbao.putSecret(`paper/${SECRET}`, there);
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain(words);
    expect(refusal).toContain("nothing was changed");
    expect(refusal).not.toContain("is not in the store");
    expect(await document(bench())).toEqual(there);
    expect(await login(bench(), "trader", old)).toBe("ok");
    expect(await login(bench(), "trader_b", old)).not.toBe("ok");
    expect(lab.hosts.flatMap(({ restarts }) => restarts)).toEqual([]);
  });

  it("keeps their keys and marks through adoption, rotation and rollback if check-and-set is required", async () => {
    const { lab } = bench();
    await lab.openbao.putSecret(`paper/${SECRET}`, { value: lab.adopted[SECRET], ...OTHERS });
    await bench().stack.configureSecret("adopted", JSON.stringify({ [SECRET]: lab.adopted[SECRET] }));
    const theirs = { owner: "desk-7", cmdb: "4711" };
    await lab.openbao.request("POST", `secret/metadata/paper/${SECRET}`, {
      cas_required: true,
      custom_metadata: theirs,
    });
    const user = (slot: "a" | "b") => (strategy === "single-user" ? "trader" : `trader_${slot}`);
    const holds = async (active: string) => {
      const { value, generation: _, ...others } = (await document(bench())) ?? {};
      expect(others).toEqual(OTHERS);
      expect(await login(bench(), active, String(value))).toBe("ok");
      expect((await metadata(bench())).custom_metadata).toMatchObject({ ...theirs, status: "active" });
    };
    await up(bench());
    await holds(user("b"));
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
    const { current_version: version } = await metadata(bench());
    await setDay(bench(), 89);
    await up(bench());
    await holds(user("a"));
    expect((await metadata(bench())).current_version).toBe(Number(version) + 1);
    await setRequest(bench(), { id: "back", activate: 1 });
    await up(bench());
    await holds(user("b"));
    await lab.healthy();
  });

  it("refuses an external write in an emergency too, until a request says force", async () => {
    const { lab } = bench();
    const foreign = { password: "x-by-hand", host: "db" };
    await lab.openbao.request("POST", `secret/metadata/paper/${SECRET}`, { cas_required: false });
    await lab.openbao.putSecret(`paper/${SECRET}`, foreign);
    const before = await stateOf(bench());
    await setRequest(bench(), { id: "leak", rotate: true, emergency: true });
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain("it is there under the key `password`");
    expect(refusal).not.toContain("x-by-hand");
    expect(await document(bench())).toEqual(foreign);
    expect(await stateOf(bench())).toEqual(before);
    await setRequest(bench(), { id: "leak-force", rotate: true, emergency: true, force: true });
    await up(bench());
    expect(await document(bench())).toMatchObject(foreign);
    await lab.healthy();
    // Without `force` the steps read again what there is, and change nothing.
    const written = await metadata(bench());
    await up(bench());
    expect((await metadata(bench())).current_version).toBe(written.current_version);
    expect((await up(bench())).stdout).toMatch(UNCHANGED);
  });
});

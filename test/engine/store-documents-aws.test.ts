import { describe, expect, it } from "vitest";
import { login, refusedUp, up, useBench } from "./harness";

const SECRET = "database/password";

describe("a JSON secret in AWS", () => {
  const bench = useBench({ strategies: { [SECRET]: "single-user" }, adopt: false, labOptions: { store: "aws" } });

  it("is never overwritten by bare text: refused with its keys, before anything changes", async () => {
    const { lab } = bench();
    const old = String(lab.adopted[SECRET]);
    const json = JSON.stringify({ engine: "postgres", host: "db", username: "trader", password: old });
    await lab.store.put(SECRET, json);
    const refusal = (await refusedUp(bench())).replace(/\s+/g, " ");
    expect(refusal).toContain(
      "it is JSON: it is there under the key `password` (keys: `engine`, `host`, `username`, `password`)",
    );
    expect(refusal).toContain("nothing was changed");
    expect(refusal).not.toContain(old);
    expect((await lab.store.get(SECRET))?.value).toBe(json);
    expect(await login(bench(), "trader", old)).toBe("ok");

    // As bare text it can be adopted.
    await lab.store.put(SECRET, old);
    expect((await refusedUp(bench())).replace(/\s+/g, " ")).toContain(
      "`rotation adopt database/password --stack paper`",
    );
    await bench().stack.configureSecret("adopted", JSON.stringify({ [SECRET]: old }));
    await up(bench());
    await lab.healthy();
  });
});

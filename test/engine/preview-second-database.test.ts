import { describe, expect, it } from "vitest";
import { DEFAULT_DATABASES, DEFAULT_SERVICES } from "../../dev/lab/platform";
import { auditRows, login, stateOf, stored, up, useBench } from "./harness";
import { previewed, restartsOf } from "./preview-support";

const SECOND = { name: "research", role: "analyst", secretName: "research/password" };

describe("a second database, added later", () => {
  const bench = useBench({
    adopt: false,
    labOptions: {
      databases: [...DEFAULT_DATABASES, SECOND],
      services: [...DEFAULT_SERVICES, { name: "report-service", database: SECOND.secretName }],
    },
  });

  it("touches nothing of the first", { timeout: 600_000 }, async () => {
    const { lab, stack } = bench();
    const all = JSON.parse((await stack.pulumi(["config", "get", "secrets"])).stdout) as { name: string }[];
    await stack.configure("secrets", all.slice(0, 1));
    await stack.configureSecret("adopted", JSON.stringify({ "database/password": lab.adopted["database/password"] }));
    await up(bench());
    const first = { state: await stateOf(bench()), value: await stored(bench(), "database/password") };

    await stack.configure("secrets", all);
    await stack.configureSecret("adopted", JSON.stringify(lab.adopted));
    for (const line of await previewed(bench())) expect(line).toMatch(/^\w+ research-password/);
    const restarts = restartsOf(bench());
    await up(bench());
    expect(
      lab.hosts
        .flatMap((host) => host.restarts)
        .slice(restarts)
        .map(({ service }) => service),
    ).toEqual(["report-service"]);
    expect({ state: await stateOf(bench()), value: await stored(bench(), "database/password") }).toEqual(first);
    const { value } = await stored(bench(), SECOND.secretName);
    expect(await login(bench(), "analyst_b", value, "research")).toBe("ok");
    expect(await lab.health("report-service")).toMatchObject({ status: "healthy", database: { user: "analyst_b" } });
    expect((await auditRows(bench())).map(({ secret_name, action }) => [secret_name, action])).toEqual([
      ["database/password", "ADOPT"],
      ["research/password", "ADOPT"],
    ]);
  });
});

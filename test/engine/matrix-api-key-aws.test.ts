import { describe, expect, it } from "vitest";
import { ADOPTED_LABEL, apiKeys, suppliedKey } from "../../dev/lab/deploy";
import { auditRows, stored, up, useBench } from "./harness";
import { labelled } from "./labels";

const SECRET = "market-data/api-key";

describe("a key of any issuer, kept in AWS Secrets Manager", () => {
  const bench = useBench({
    labOptions: { store: "aws", issuer: true, services: [{ name: "orchestrator", apiKey: SECRET }] },
    only: [SECRET],
  });

  it("adopts one key and moves to the next at once, and rolls back: the store's labels, the service and the log agree", async () => {
    const { lab, stack } = bench();
    const [issuer, [adopted]] = [lab.issuer, lab.issuer?.made ?? []];
    if (issuer === undefined || adopted === undefined) throw new Error("the lab has no issuer");
    const added = issuer.createKey();
    const [first, second] = [suppliedKey(ADOPTED_LABEL, adopted), suppliedKey("market-data-2026-11-23", added)];
    await stack.configureSecret("apiKeys", apiKeys(issuer, second, first));
    await up(bench());
    expect(await labelled(bench(), SECRET)).toEqual({ current: added.key, previous: adopted.key });
    await stack.configure("request", { id: "back", secret: SECRET, activate: 0, reason: "a test" });
    await up(bench());
    expect((await stored<string>(bench(), SECRET)).value).toBe(adopted.key);
    expect(await lab.health("orchestrator")).toMatchObject({
      status: "healthy",
      api_key: { account: issuer.account },
    });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROLLBACK", 0],
    ]);
  });
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { Vault } from "../../../clients/vault";
import { findRotation } from "../../../kinds/vault-engine/role";

test("a question that Vault did not answer in time is asked again, one that changes something is not", async () => {
  const asked: string[] = [];
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    // The first of each kind stays without an answer.
    if (asked.filter((one) => one === asked.at(-1)).length === 1) return;
    response.end(JSON.stringify({ data: { username: "trader", last_vault_rotation: "2026-11-23T02:00:00Z" } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("VAULT_TOKEN", "of-the-test");
  try {
    const vault = new Vault({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const [rotation, changed] = await Promise.all([
      findRotation(vault, { mount: "database", name: "trader" }),
      vault.post("database/rotate-role/trader", {}).catch(String),
    ]);
    expect(rotation).toBe("2026-11-23T02:00:00Z");
    expect(changed).toContain("does not answer: no answer within 30 s");
    expect(asked.toSorted()).toEqual([
      ...["GET /v1/database/static-roles/trader", "GET /v1/database/static-roles/trader"],
      "POST /v1/database/rotate-role/trader",
    ]);
  } finally {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  }
});

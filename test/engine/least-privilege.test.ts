import { describe, expect, it } from "vitest";
import { pipelinePolicy } from "../../dev/lab/policies";
import { auditRows, refusedUp, stateOf, up, useBench } from "./harness";

describe("the pipeline with the privileges of deploy/ and no others", () => {
  const bench = useBench();

  it("is told which one is missing if one is taken away, and adopts with the rest as no superuser", async () => {
    const { lab, stack } = bench();
    expect(lab.env.PGUSER).toBe("rotation");
    await lab.postgres.query("REVOKE ADMIN OPTION FOR trader FROM rotation");
    expect(await refusedUp(bench())).toContain(
      "rotation may not change the role trader: expected ADMIN on it (`GRANT trader TO rotation WITH ADMIN TRUE",
    );
    await lab.postgres.query("GRANT trader TO rotation WITH ADMIN TRUE");

    const whole = pipelinePolicy({ mount: lab.openbao.mount, environment: lab.environment });
    const less = whole.replace('["create", "read", "update"]', '["create", "read"]');
    await lab.openbao.request("PUT", "sys/policies/acl/pipeline", { policy: less });
    expect(await refusedUp(bench())).toContain("the token may not update secret/data/paper/database/");
    await lab.openbao.request("PUT", "sys/policies/acl/pipeline", { policy: whole });
    expect(await stateOf(bench())).toBeUndefined();

    await up(bench());
    expect((await auditRows(bench())).map(({ action }) => action)).toEqual(["ADOPT"]);
    const { rows } = await lab.postgres.query(
      "SELECT rolsuper, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = 'rotation'",
    );
    expect(rows).toEqual([{ rolsuper: false, rolcreatedb: false, rolbypassrls: false, rolreplication: false }]);
    expect(stack.env.VAULT_TOKEN).not.toBe(lab.openbao.rootToken);
  });
});

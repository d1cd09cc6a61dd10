import { expect, it } from "vitest";
import type { FaultRule, ProxiedRequest } from "../../../dev/lab/fault-proxy";
import { pipelinePolicy } from "../../../dev/lab/policies";
import { auditRows, login, stateOf, stored, up } from "../harness";
import { platformOf } from "../input-support";
import { type FaultCase, faultMatrix, nextDue } from "./matrix";
import type { World } from "./world";

const writes = ({ method, path }: ProxiedRequest, to: string) =>
  ["PUT", "POST"].includes(method) && path === `/v1/secret/data/paper/${to}`;

/** At the first write of the rotation, the user name's. */
const atWrite = (first: () => Promise<unknown>): FaultRule => ({
  when: (request) => writes(request, "database/username"),
  times: 1,
  fault: { first },
});

/** Answers as Vault does that cannot: `errors`, in JSON. */
const says = (status: number, error: string) => ({ status, body: JSON.stringify({ errors: [error] }) });

const ROLE_IS_READY = /has\s+begun\s+and\s+is\s+not\s+finished;[\s\S]*\(trader_[ab]\)\s+works;[\s\S]*keep\s+working\./;

const CASES: Record<string, FaultCase> = {
  "is sealed": {
    breaks: async ({ lab }) => {
      await lab.openbao.seal();
      return () => lab.openbao.unseal();
    },
    says: ["nothing was changed", /store: Vault at http:\S+ is sealed; unseal it with `vault operator unseal`/],
    reached: {},
  },
  "is sealed right before the first write": {
    by: "rotation",
    breaks: async ({ lab, vault }) => {
      vault.inject(atWrite(() => lab.openbao.seal()));
      return async () => {
        vault.clear();
        await lab.openbao.unseal();
      };
    },
    says: ["503", ROLE_IS_READY, "rotation run"],
    reached: { role: true },
  },
  "is a standby whose active node is gone": {
    breaks: async ({ vault }) => {
      const gone = says(500, "local node not active but active cluster node not found");
      vault.inject({ when: ({ path }) => !path.startsWith("/v1/sys/health"), fault: gone });
      return async () => vault.clear();
    },
    says: [
      "nothing was changed",
      /store\S*: Vault at http:\S+ answers 500: local node not active but active cluster node not found/,
      "check `vault status`, and run this again once it answers",
    ],
    reached: {},
  },
  "limits requests": {
    breaks: async ({ lab }) => {
      await lab.openbao.request("POST", "sys/quotas/rate-limit/lab", { path: "secret/", rate: 1, interval: "1h" });
      // The one request of the hour.
      await lab.openbao.getSecret("paper/database/password");
      return () => lab.openbao.request("DELETE", "sys/quotas/rate-limit/lab");
    },
    says: [
      "nothing was changed",
      /Vault at http:\S+ answers 429: .*it limits this run's requests \(`vault list sys\/quotas\/rate-limit`\): wait and run this again/,
    ],
    reached: {},
  },
  "does not know the token any more, from the first write on": {
    sample: true,
    by: "rotation",
    breaks: async (world) => {
      const { lab, vault, stack, variables } = world;
      vault.inject(atWrite(() => revoke(world, variables.VAULT_TOKEN ?? String(stack.env.VAULT_TOKEN))));
      return async () => {
        vault.clear();
        const { mount } = lab.openbao;
        variables.VAULT_TOKEN = await lab.openbao.createToken(
          "pipeline",
          pipelinePolicy({ mount, environment: "paper" }),
        );
      };
    },
    says: ["permission denied", ROLE_IS_READY, "rotation run"],
    reached: { role: true },
  },
};

const revoke = ({ lab }: World, token: string) => lab.openbao.request("POST", "auth/token/revoke", { token });

/** Every try of the write loses its answer. */
const lostAnswer = (world: () => World) =>
  it("loses its answer to the write of the password: the step finds its own value there, and the rotation ends", async () => {
    const { vault } = world();
    await nextDue(world());
    const before = await platformOf(world());
    vault.inject({ when: (request) => writes(request, "database/password"), fault: { drop: "answer" } });
    try {
      await up(world());
    } finally {
      vault.clear();
    }
    const [from, to] = [before.state, await stateOf(world())] as { slots: number[]; active: number }[];
    const generation = Number(from?.slots[from.active]) + 1;
    expect(to?.slots[to.active]).toBe(generation);
    expect((await auditRows(world())).at(-1)).toMatchObject({ action: "ROTATE", status: "SUCCESS", generation });
    const [user, password] = await Promise.all([
      stored(world(), "database/username"),
      stored(world(), "database/password"),
    ]);
    expect(await login(world(), user.value, password.value)).toBe("ok");
  });

faultMatrix("Vault", CASES, { more: lostAnswer });

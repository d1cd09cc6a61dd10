import type { FaultRule, ProxiedRequest } from "../../../dev/lab/fault-proxy";
import { pipelinePolicy } from "../../../dev/lab/policies";
import { type FaultCase, faultMatrix } from "./matrix";
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
      /Vault at http:\S+ answers 429: .*it limits this run's requests \(`vault read sys\/quotas\/rate-limit`\): wait and run this again/,
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
  "loses its answer to the write of the password": {
    by: "rotation",
    breaks: async ({ vault }) => {
      // Every try: the client asks again.
      vault.inject({ when: (request) => writes(request, "database/password"), fault: { drop: "answer" } });
      return async () => vault.clear();
    },
    says: [ROLE_IS_READY, "rotation run"],
    reached: { role: true, stored: true },
  },
};

const revoke = ({ lab }: World, token: string) => lab.openbao.request("POST", "auth/token/revoke", { token });

faultMatrix("Vault", CASES);

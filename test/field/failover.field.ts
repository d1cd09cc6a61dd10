import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clockAt } from "../../dev/lab/deploy";
import { withoutDebian } from "./ground/debian";
import { allowRestart } from "./ground/machine";
import { type Ground, startGround } from "./ground/platform";
import type { Raft } from "./ground/raft";

const missing = await withoutDebian();

describe.skipIf(missing !== undefined)(
  `OpenBao with raft and TLS: the leader ends${missing ? `: ${missing}` : ""}`,
  () => {
    let ground: Ground;
    beforeAll(async () => {
      ground = await startGround({
        vault: "raft",
        services: {
          "signal-service": { hosts: ["trading-1"], config: { restart: "sudo -n systemctl restart signal-service" } },
        },
      });
      await allowRestart(ground.machines[0], "signal-service");
    });
    afterAll(async () => ground?.stop());

    it("before the store is written: the rotation waits for the next leader; no login fails", async () => {
      const adopt = await ground.stack.pulumi(["up", "--yes", "--skip-preview"]);
      expect(adopt.exitCode, adopt.stdout + adopt.stderr).toBe(0);

      await ground.stack.configure("lab", clockAt(89));
      let change: Promise<void> | undefined;
      const rotation = await ground.stack.pulumi(["up", "--yes", "--skip-preview"], {
        // The step right before the store is written.
        onOutput: (text) => {
          if (change === undefined && /verify-login/.test(text)) change = (ground.vault as Raft).failOver();
        },
      });
      expect(change, "the leader ended while the rotation ran").toBeDefined();
      await change;
      expect(rotation.exitCode, rotation.stdout + rotation.stderr).toBe(0);
      expect(await ground.services[0]?.users()).toEqual({ "trading-1": "trader_a" });

      const attempts = (await ground.services[0]?.attempts()) ?? [];
      expect(attempts.filter(({ error }) => error !== undefined)).toEqual([]);
      expect(new Set(attempts.map(({ user }) => user))).toEqual(new Set(["trader", "trader_b", "trader_a"]));
      console.log(`failover of Vault: ${attempts.length} logins, 0 failed`);
    });
  },
);

import { it } from "vitest";
import { survives } from "./sample";

const cell = { strategy: "alternating-users", store: "vault", bucket: false } as const;

it("alternating users survive a kill in the adoption, a rotation and a revoke, and roll back after one", async () => {
  await survives(cell, [
    {
      operation: "adoption",
      effect: "vault: write database/username",
      nth: 0,
      side: "after",
      victim: "machine",
      recovery: "rotation run",
    },
    {
      operation: "rotation",
      effect: "postgres: ALTER ROLE trader_*",
      nth: 0,
      side: "after",
      victim: "engine",
      recovery: "pulumi up",
    },
    {
      // Between the two paths that one step writes.
      operation: "rotation",
      effect: "vault: write database/password",
      nth: 0,
      side: "before",
      victim: "step",
      recovery: "pulumi up",
    },
    {
      // The role's login has ended and the state does not know: found by the model check.
      operation: "revoke",
      effect: "postgres: ALTER ROLE trader_*",
      nth: 0,
      side: "after",
      victim: "machine",
      recovery: "pulumi up",
      instead: "rollback",
    },
  ]);
});

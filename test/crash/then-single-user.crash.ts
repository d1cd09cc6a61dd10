import { it } from "vitest";
import { survives } from "./sample";

const cell = { strategy: "single-user", store: "vault", bucket: false } as const;

it("a single user survives a kill in a rotation and a rollback, and returns to the password in use after one", async () => {
  await survives(cell, [
    {
      operation: "adoption",
      effect: "postgres: ALTER ROLE trader",
      nth: 0,
      side: "before",
      victim: "plugin",
      recovery: "rotation run",
    },
    {
      // Role and store have the new password and the state does not know: found by the model check.
      operation: "rotation",
      effect: "postgres: ALTER ROLE trader",
      nth: 0,
      side: "after",
      victim: "machine",
      recovery: "pulumi up",
      instead: "return",
    },
    {
      operation: "rollback",
      effect: "restart orchestrator",
      nth: 0,
      side: "after",
      victim: "language host",
      recovery: "pulumi up",
    },
  ]);
});

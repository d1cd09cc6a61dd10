import { it } from "vitest";
import { survives } from "./sample";

const cell = { strategy: "alpaca-key", store: "aws", bucket: true } as const;

it("an Alpaca key in AWS survives a kill between its halves, and at its audit row", async () => {
  await survives(cell, [
    {
      operation: "adoption",
      effect: "aws: PutSecretValue alpaca/api_key_id",
      nth: 0,
      side: "after",
      victim: "machine",
      recovery: "pulumi up",
    },
    {
      operation: "rotation",
      effect: "postgres: INSERT INTO secret_rotation_log",
      nth: 0,
      side: "after",
      victim: "step",
      recovery: "rotation run",
    },
  ]);
});

// Both found by the matrix.
it("an Alpaca key in AWS survives a kill before its outputs are told, and one before the bucket's lock is given back", async () => {
  await survives(cell, [
    {
      operation: "adoption",
      effect: "postgres: INSERT INTO secret_rotation_log",
      nth: 0,
      side: "after",
      victim: "language host",
      recovery: "rotation run",
    },
    {
      operation: "rotation",
      effect: "state: unlock",
      nth: 0,
      side: "before",
      victim: "machine",
      recovery: "rotation run",
    },
  ]);
});

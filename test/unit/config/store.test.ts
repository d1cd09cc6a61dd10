import { expect, test } from "vitest";
import { parseConfig } from "../../../config";

const loopback = { kind: "aws", region: "us-east-1", endpoint: "http://127.0.0.1:5000" };

/** The smallest config, with a store. */
function parse(store: object, lab?: object) {
  const settings: Record<string, unknown> = {
    environment: "paper",
    store,
    preflight: { allowOpenMarket: true },
    services: { api: { health: "http://localhost:8000/health" } },
    secrets: [
      {
        kind: "postgres-password",
        name: "database/password",
        database: { host: "127.0.0.1", name: "trader" },
        role: "trader",
        restart: ["api"],
      },
    ],
    ...(lab === undefined ? {} : { lab }),
  };
  const raw = Object.entries(settings).map(([key, value]) => [
    `secret-rotation:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return () => parseConfig(Object.fromEntries(raw), "paper").store;
}

test("AWS needs a region and keeps what is deleted for 30 days", () => {
  expect(parse({ kind: "aws", region: "eu-central-1" })()).toEqual({
    kind: "aws",
    region: "eu-central-1",
    recoveryWindowDays: 30,
  });
  expect(parse({ kind: "aws" })).toThrow(/store\.region: .*expected/);
  expect(parse({ kind: "aws", region: "Frankfurt" })).toThrow(/store\.region: expected a region, such as us-east-1/);
  expect(parse({ kind: "aws", region: "us-east-1", recoveryWindowDays: 3 })).toThrow(/expected 7 to 30 days/);
  expect(parse({ kind: "azure" })).toThrow(/store\.kind/);
});

test("an emulator and a deletion at once are for a lab alone, and a lab for an emulator alone", () => {
  expect(parse(loopback)).toThrow(/store\.endpoint: expected only in a lab/);
  expect(parse({ kind: "aws", region: "us-east-1", recoveryWindowDays: 0 })).toThrow(/0 only in a lab/);
  const clock = { clock: "2026-11-23T02:00:00Z" };
  expect(parse({ ...loopback, recoveryWindowDays: 0 }, clock)()).toMatchObject({ recoveryWindowDays: 0 });
  expect(parse({ kind: "aws", region: "us-east-1" }, clock)).toThrow(/AWS is not a loopback address/);
});

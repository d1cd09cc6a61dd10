import * as z from "zod";
import { lastFour } from "../core/key-label";
import { secret } from "../core/secret-fields";
import { verifyPair } from "../kinds/alpaca-key/verify";
import { runStep } from "./run-step";

const pair = z.object({ label: z.string(), keyId: secret(z.string()), secretKey: secret(z.string()) });

const input = z.object({
  places: z.object({
    baseUrl: z.string(),
    otherUrl: z.string().optional(),
    environment: z.enum(["paper", "live"]),
    dashboard: z.string(),
  }),
  purpose: z.enum(["adoption", "rotation", "rollback", "repair"]),
  pair,
  before: pair.optional(),
  account: z.string().optional(),
  /** Milliseconds. */
  activationWait: z.number(),
});

/** Proves a pair by what Alpaca answers, before anything is written. */
await runStep(input, async ({ places, ...given }) => {
  const { account, waited } = await verifyPair({
    ...given,
    places: { ...places, otherUrl: places.otherUrl },
    onWait: (message) => process.stderr.write(`${message}\n`),
  });
  return { account: account.number, status: account.status, keyId: lastFour(given.pair.keyId), waited };
});

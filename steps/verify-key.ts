import * as z from "zod";
import { secret } from "../core/secret-fields";
import { connectIssuer, issuerReference } from "../kinds/issuer/connect";
import { verifyKey } from "../kinds/issuer/verify-key";
import { runStep } from "./run-step";

const key = z.object({ label: z.string(), values: secret(z.record(z.string(), z.string())) });

const input = z.object({
  issuer: issuerReference,
  /** The secret's name. */
  secretName: z.string(),
  purpose: z.enum(["adoption", "rotation", "rollback", "repair"]),
  key,
  before: key.optional(),
  account: z.string().optional(),
  /** Milliseconds. */
  activationWait: z.number(),
  /** The command that supplies another key; undefined if the issuer makes it. */
  supply: z.string().optional(),
});

/** Proves a key by what its issuer says, before anything is written. */
await runStep(input, async ({ issuer, secretName, ...given }) => {
  const { identity, waited } = await verifyKey({
    ...given,
    issuer: connectIssuer(issuer),
    secret: secretName,
    onWait: (message) => process.stderr.write(`${message}\n`),
  });
  return { label: given.key.label, ...(identity === undefined ? {} : { identity }), waited };
});

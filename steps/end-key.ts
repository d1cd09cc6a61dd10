import * as z from "zod";
import { secret } from "../core/secret-fields";
import { connectIssuer, issuerReference } from "../kinds/issuer/connect";
import { endKey } from "../kinds/issuer/end-key";
import { runStep } from "./run-step";

const input = z.object({
  issuer: issuerReference,
  id: z.string(),
  values: secret(z.record(z.string(), z.string())),
  /** Whether its grace period is over. */
  ends: z.boolean(),
  /** Milliseconds that the issuer may still accept it afterwards. */
  wait: z.number(),
});

/** Ends a credential at its issuer once it is over, and proves that by the issuer's own answer. */
await runStep(input, async ({ issuer, id, values, ends, wait }) =>
  ends ? { ended: true, ...(await endKey(connectIssuer(issuer), { id, values, wait })) } : { ended: false },
);

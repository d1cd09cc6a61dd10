import * as z from "zod";
import { connectIssuer, issuerReference } from "../kinds/issuer/connect";
import { orphanEnded } from "../kinds/issuer/orphan";
import { runStep } from "./run-step";

const input = z.object({
  issuer: issuerReference,
  /** What the issuer calls it: the same whenever this is repeated. */
  id: z.string(),
  /** Whether it comes into use. Otherwise an interrupted update may have made it, which then ends. */
  wanted: z.boolean(),
});

/** Makes a credential at its issuer. The answer has its values, and is a secret of the state. */
await runStep(input, async ({ issuer, id, wanted }) => {
  const made = connectIssuer(issuer);
  if (made.issue === undefined) throw new Error("the issuer makes no credential");
  return wanted ? { values: await made.issue(id) } : orphanEnded(made, id);
});

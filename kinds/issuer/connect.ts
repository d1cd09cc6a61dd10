import * as z from "zod";
import { CommandIssuer, commandsReference } from "../custom/issuer";
import type { Issuer } from "./issuer";
import { RequestIssuer, requestsReference } from "./requests";

/** An issuer as a step's input has it. */
export const issuerReference = z.union([
  z.object({
    requests: requestsReference,
    /** What is done by a command and not by a request. */
    commands: z.object({ issue: commandsReference, revoke: commandsReference }).partial().optional(),
  }),
  z.object({ commands: commandsReference }),
]);

export type IssuerReference = z.output<typeof issuerReference>;

/** The issuer of a reference. */
export function connectIssuer(reference: IssuerReference): Issuer {
  if (!("requests" in reference)) return new CommandIssuer(reference.commands);
  const asked = new RequestIssuer(reference.requests);
  const { issue, revoke } = reference.commands ?? {};
  const issuing: Issuer = issue === undefined ? asked : new CommandIssuer(issue);
  const revoking: Issuer = revoke === undefined ? asked : new CommandIssuer(revoke);
  return {
    repeats: issuing.repeats,
    verify: (...about) => asked.verify(...about),
    ...(issuing.issue && { issue: issuing.issue.bind(issuing) }),
    ...(revoking.revoke && { revoke: revoking.revoke.bind(revoking) }),
  };
}

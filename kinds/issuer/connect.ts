import * as z from "zod";
import { CommandIssuer, commandsReference } from "../custom/issuer";
import type { Issuer } from "./issuer";
import { RequestIssuer, requestsReference } from "./requests";

/** An issuer as a step's input has it. */
export const issuerReference = z.union([
  z.object({ requests: requestsReference }),
  z.object({ commands: commandsReference }),
]);

export type IssuerReference = z.output<typeof issuerReference>;

/** The issuer of a reference. */
export const connectIssuer = (reference: IssuerReference): Issuer =>
  "requests" in reference ? new RequestIssuer(reference.requests) : new CommandIssuer(reference.commands);

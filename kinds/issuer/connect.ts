import * as z from "zod";
import type { Issuer } from "./issuer";
import { RequestIssuer, requestsReference } from "./requests";

/** An issuer as a step's input has it. */
export const issuerReference = z.object({ requests: requestsReference });

export type IssuerReference = z.output<typeof issuerReference>;

/** The issuer of a reference. */
export const connectIssuer = ({ requests }: IssuerReference): Issuer => new RequestIssuer(requests);

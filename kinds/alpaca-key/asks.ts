import type { AlpacaKeyConfig } from "../../config";
import { suppliedKeyAsks } from "../issuer/asks";
import { alpacaPairs } from "./supplied";

/** What the preflight of a key pair checks; what only Alpaca knows, `verify-alpaca` checks. */
export const alpacaKeyAsks = suppliedKeyAsks<AlpacaKeyConfig>(alpacaPairs.terms);

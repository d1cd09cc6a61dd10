import * as z from "zod";
import { CLASSES, DEFAULT_RULE, type PasswordRuleConfig, ruleProblems } from "./password-rule";
import type { Problem } from "./problem";
import { settings, text } from "./schema-parts";

const least = z.number().int().min(0).max(128).optional();

/** How a password that this pipeline makes looks. */
export const passwordRuleSettings = settings({
  /** Characters. Default 24. */
  length: z.number().int().min(12).max(128).default(24),
  /** What may occur: `lower`, `upper`, `digits`, `symbols`. Default: all. */
  classes: z
    .array(z.enum(CLASSES))
    .min(1)
    .default([...CLASSES]),
  /** The symbols that may occur. Default `-_.~`, which mean nothing to a shell, a URL or a connection string. */
  symbols: text(/^[!-/:-@[-`{-~]+$/, "expected symbols of ASCII, such as -_.~").default(DEFAULT_RULE.overrideSpecial),
  /** Symbols that must not occur, also if `symbols` has them. Default: none. */
  excludeCharacters: z.string().default(""),
  /** How many of each class at the least. Default: 1 of each class that may occur. */
  minimum: settings({
    /** Default 1. */
    lower: least,
    /** Default 1. */
    upper: least,
    /** Default 1. */
    digits: least,
    /** Default 1. */
    symbols: least,
  }).default({}),
});

/** What is impossible in the rule of the secret at `index`; nothing if it has none. */
export const passwordRuleProblems = (index: number, rule: PasswordRuleConfig | undefined): Problem[] =>
  (rule === undefined ? [] : ruleProblems(rule)).map(({ key, message }) => ({
    path: ["secrets", index, "passwordRule", key],
    message,
  }));

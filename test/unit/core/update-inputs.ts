import { expect } from "vitest";
import { type Inputs, nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { type Request, RequestRefusedError } from "../../../core/request";
import type { SecretState } from "../../../core/state";

export const DAY = 86_400_000;
export const START = Date.parse("2026-11-23T02:00:00Z");

/** A time in days after the first update. */
export const at = (days: number) => new Date(START + days * DAY);

/** What an update that many days after the first one decides from; by default with an adopted value and no request. */
export const inputs = (days: number, more: Partial<Inputs> = {}): Inputs => ({
  now: at(days),
  policy,
  hasAdopted: true,
  ...more,
});

export const rotate = (id: string): Request => ({ id, secret: "database/password", rotate: true, reason: "test" });
export const activate = (id: string, generation: number): Request => ({
  id,
  secret: "database/password",
  activate: generation,
  reason: "test",
});

/** The state after an update, which may refuse its request and nothing else; undefined where it does. */
export function afterUpdate(before: SecretState | undefined, given: Inputs): SecretState | undefined {
  try {
    return nextState(before, given);
  } catch (error) {
    expect(error).toBeInstanceOf(RequestRefusedError);
    return undefined;
  }
}

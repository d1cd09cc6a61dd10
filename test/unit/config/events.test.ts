import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTargets } from "../../../config";
import { isSigningKey } from "../../../config/event-checks";
import { EVENT_TYPES, receiversOf } from "../../../core/events";
import { configWith, parse, problemsOf } from "./example";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const url = "https://siem.internal/hooks/s3cret-path";

describe("the receivers of events", () => {
  it("get every event by default, PagerDuty what opens and resolves an incident", () => {
    const events = {
      siem: { kind: "webhook", url, secret: KEY },
      ops: { kind: "slack", url, types: ["failed"] },
      "on-call": { kind: "pagerduty", routingKey: "r0uting" },
    };
    const targets = eventTargets(parse(configWith([["events"], events])).events);
    expect(targets.map(({ types }) => types.length)).toEqual([EVENT_TYPES.length, 1, 4]);
    expect(receiversOf("failed", targets)).toEqual(["siem", "ops", "on-call"]);
    expect(receiversOf("started", targets)).toEqual(["siem"]);
    expect(JSON.stringify(targets)).not.toMatch(/whsec|s3cret|r0uting/);
    expect(parse(configWith()).events).toEqual({});
  });

  it.each<[string, object, string]>([
    ["another kind", { kind: "sms" }, "events (an entry): expected one of webhook, slack, teams, pagerduty, email"],
    ["no address", { kind: "slack" }, "events.ops.url: expected an http:// or https:// address"],
    [
      "no TLS",
      { kind: "teams", url: "http://hooks.internal/x" },
      "events.ops.url: expected an https:// address, found http://",
    ],
    [
      "a short key",
      { kind: "webhook", url, secret: "whsec_c2hvcnQ=" },
      "events.ops.secret: expected whsec_ and 24 to 64 bytes in base64",
    ],
    [
      "another type",
      { kind: "slack", url, types: ["done"] },
      "events.ops.types[0]: expected one of started, finished, failed",
    ],
    ["no type", { kind: "slack", url, types: [] }, "events.ops.types: expected at least one entry"],
    ["a key of another kind", { kind: "slack", url, secret: KEY }, "events.ops.secret: unknown key"],
    [
      "an unchecked certificate",
      { kind: "email", host: "mail.internal", verifyCertificate: false, from: "a@b.c", to: ["d@e.f"] },
      "events.ops.verifyCertificate: expected true: mail.internal is not a loopback address",
    ],
  ])("%s is named, and no secret with it", (_, target, message) => {
    const problems = problemsOf(configWith([["events", "ops"], target]));
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems.join()).not.toMatch(/s3cret|MfKQ|c2hvcnQ/);
  });

  it("take a loopback address without TLS", () => {
    for (const host of ["127.0.0.1:8080", "localhost"])
      expect(
        parse(configWith([["events", "ops"], { kind: "slack", url: `http://${host}/x` }])).events.ops,
      ).toBeDefined();
  });

  it("have a signing key of 24 to 64 bytes, and nothing else", () => {
    const key = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString("base64")}`;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 90 }), (bytes) => {
        expect(isSigningKey(key(bytes))).toBe(bytes.length >= 24 && bytes.length <= 64);
        expect(isSigningKey(key(bytes).slice(6))).toBe(false);
      }),
    );
  });
});

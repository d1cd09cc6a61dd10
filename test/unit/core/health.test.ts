import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HealthRule, illnessOf, judge, LONGEST_BODY, probeAt } from "../../../core/health";

const DEFAULT: HealthRule = { status: [], field: "status", equals: ["healthy"], text: null };
const UP: HealthRule = { status: [200], field: "status", equals: ["UP"], text: null };
const PLAIN: HealthRule = { status: [], field: null, equals: ["healthy"], text: null };

const asked = (rule: HealthRule, code: number, body: string | Buffer, error = "") =>
  judge({ kind: "http", url: "http://h/health", rule }, { code, body: Buffer.from(body), error });
const healthy = (rule: HealthRule, code: number, body: string | Buffer) => asked(rule, code, body).healthy;

const NESTED = '{"status":"unhealthy","checks":{"broker":{"status":"healthy"},"database":{"status":"unhealthy"}}}';

describe("the judge, unless the config says otherwise", () => {
  it.each<[what: string, body: string | Buffer]>([
    ["the field", '{"status":"healthy"}'],
    ["white space", ' {\n "status" : "healthy"\n}\n'],
    ["the field among others, whatever stands in them", '{"checks":{"db":{"status":"unhealthy"}},"status":"healthy"}'],
    ["a byte order mark", '\uFEFF{"status":"healthy"}'],
    ["an escaped field", '{"st\\u0061tus":"he\\u0061lthy"}'],
    ["a packed answer", gzipSync('{"status":"healthy"}')],
    ["the field's name as the text of another", '{"status":"healthy","field":"status","by":"name"}'],
    ["the field's name inside of a text", '{"status":"healthy","note":"\\"status\\":\\"unhealthy\\""}'],
  ])("takes %s for healthy", (_, body) => {
    expect(healthy(DEFAULT, 200, body)).toBe(true);
    expect(healthy(DEFAULT, 503, body)).toBe(false);
  });

  it.each<[body: string, found: string]>([
    [NESTED, "`status` unhealthy"],
    ['{"checks":{"status":"healthy"}}', "no `status` (its fields: checks)"],
    ['[{"status":"healthy"}]', "a list in place of a JSON object"],
    ['"{\\"status\\":\\"healthy\\"}"', "a string in place of a JSON object"],
    ['{"message":"\\"status\\":\\"healthy\\""}', "no `status` (its fields: message)"],
    ['{"Status":"healthy"}', "no `status` (its fields: Status)"],
    ['{"status":"Healthy"}', "`status` Healthy"],
    ['{"status":true}', "`status` true"],
    ['{"status":200}', "`status` 200"],
    ['{"status":null}', "null as `status`"],
    ['{"status":{"status":"healthy"}}', "an object as `status`"],
    ['{"status":["healthy"]}', "a list as `status`"],
    ['{"status":"unhealthy","status":"healthy"}', "`status` more than once"],
    ['{"status":"healthy","st\\u0061tus":"healthy"}', "`status` more than once"],
    ['{"checks":{"db":1},"status":"unhealthy","status":"healthy"}', "`status` more than once"],
    ['{"list":[{"status":1}],"status":"unhealthy","status":"healthy"}', "`status` more than once"],
    ['{"list":[1],"status":"unhealthy","status":"healthy"}', "`status` more than once"],
    ['{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}', "no `status` (its fields: a, b, c, d, e, f, g, h)"],
    [`{"${"n".repeat(121)}":1}`, `no \`status\` (its fields: ${"n".repeat(120)})`],
    [`{"status":"${"u".repeat(61)}"}`, `\`status\` ${"u".repeat(60)}`],
    ['{"status":"\uFEFFhealthy"}', "`status` \uFEFFhealthy"],
    ['{"status":"UP"}', "`status` UP"],
    ['{"status":"healthy"} trailing', "text that is no JSON in place of a JSON object"],
    ["OK", "text that is no JSON in place of a JSON object"],
    ['<html>"status":"healthy"</html>', "text that is no JSON in place of a JSON object"],
    ["null", "null in place of a JSON object"],
    ["{}", "no `status` (its fields: none)"],
    ["", "an empty body"],
    [" \n", "an empty body"],
  ])("takes %s for unhealthy, and says what was expected", (body, found) => {
    const verdict = asked(DEFAULT, 200, body);
    expect(verdict.healthy).toBe(false);
    expect(verdict.why).toBe(`expected HTTP 2xx with \`status\` healthy, found HTTP 200 with ${found}`);
  });

  it("names the config key, the answer and its status", () => {
    expect(illnessOf("report", asked(DEFAULT, 503, '{"status":"UP"}'))).toBe(
      '{"status":"UP"} (HTTP 503); expected HTTP 2xx with `status` healthy, found HTTP 503 with `status` UP (set by services.report.healthy)',
    );
  });

  it.each([100, 204, 302, 404, 429, 500, 503])(
    "takes nothing with HTTP %i for healthy that has no such body",
    (code) => {
      expect(healthy(DEFAULT, code, "")).toBe(false);
    },
  );

  it("unpacks what is packed, and nothing else, and no more than it reads", () => {
    const packed = gzipSync('{"status":"healthy"}');
    const unreadable = "(compressed, and not readable) (HTTP 200)";
    expect(asked(DEFAULT, 200, packed.subarray(0, 12)).answer).toBe(unreadable);
    const padded = (length: number) => gzipSync(JSON.stringify({ status: "healthy", padding: "x".repeat(length) }));
    expect(healthy(DEFAULT, 200, padded(LONGEST_BODY - 100))).toBe(true);
    expect(asked(DEFAULT, 200, padded(LONGEST_BODY))).toMatchObject({ healthy: false, answer: unreadable });
    expect(asked(DEFAULT, 200, "\u001fOK").answer).toBe("OK (HTTP 200)");
    expect(asked(DEFAULT, 200, Buffer.from([0x4f, 0x8b])).answer).toBe("O\uFFFD (HTTP 200)");
  });

  it("shows an answer without white space around it, an empty one by name, and a missing one", () => {
    expect(asked(DEFAULT, 200, " OK\n").answer).toBe("OK (HTTP 200)");
    expect(asked(DEFAULT, 200, " \n").answer).toBe("(an empty body) (HTTP 200)");
    expect(asked(DEFAULT, 0, "", " \n").answer).toBe("no answer");
  });

  it.each([
    [299, false],
    [300, true],
    [399, true],
    [400, false],
  ])("takes HTTP %i for a redirect: %s", (code, isRedirect) => {
    expect(asked(PLAIN, code, "").why.includes("a redirect")).toBe(isRedirect);
    expect(healthy(PLAIN, code, "")).toBe(code === 299);
  });

  it("says that a redirect is not followed, and what the client said if there is no answer", () => {
    expect(asked(DEFAULT, 302, '{"status":"healthy"}')).toMatchObject({
      healthy: false,
      why: "expected HTTP 2xx with `status` healthy, found HTTP 302 (a redirect, which is not followed) with `status` healthy",
    });
    expect(asked(DEFAULT, 0, "", "curl: (7) Failed to connect\n")).toEqual({
      healthy: false,
      why: "expected HTTP 2xx with `status` healthy, found no answer",
      answer: "curl: (7) Failed to connect",
    });
  });

  it("reads `started_at` and the backend from the outermost object alone", () => {
    const body = '{"status":"healthy","started_at":"t2","worker":{"started_at":"t1"},"secrets_backend":"vault"}';
    expect(asked(DEFAULT, 200, body)).toMatchObject({ startedAt: "t2", backend: "vault" });
    expect(asked(DEFAULT, 200, '{"status":"healthy","worker":{"started_at":"t1"}}')).not.toHaveProperty("startedAt");
  });

  it("shows no more of an answer than people read, and no control characters", () => {
    const { answer } = asked(DEFAULT, 200, `\u001b[31m${"x".repeat(5000)}`);
    expect(answer).toBe(`[31m${"x".repeat(296)} (HTTP 200)`);
  });
});

describe("the judge, told otherwise", () => {
  it("takes what the service's framework says", () => {
    expect(healthy(UP, 200, '{"status":"UP","components":{"db":{"status":"UP"}}}')).toBe(true);
    expect(healthy(UP, 200, '{"status":"DOWN","components":{"db":{"status":"UP"}}}')).toBe(false);
    expect(healthy(UP, 204, '{"status":"UP"}')).toBe(false);
    expect(healthy({ ...UP, equals: ["pass", "warn"] }, 200, '{"status":"warn"}')).toBe(true);
    expect(healthy({ ...UP, equals: ["true"] }, 200, '{"status":true}')).toBe(true);
    expect(healthy({ ...UP, status: [200, 503] }, 503, '{"status":"UP"}')).toBe(true);
  });

  it("finds a field by its path, or by a name with dots in it", () => {
    const rule = { ...UP, field: "health.state", equals: ["green"] };
    expect(healthy(rule, 200, '{"health":{"state":"green"}}')).toBe(true);
    expect(healthy(rule, 200, '{"health.state":"green"}')).toBe(true);
    expect(healthy(rule, 200, '{"state":"green"}')).toBe(false);
    expect(healthy(rule, 200, '{"health":null}')).toBe(false);
    expect(asked(rule, 200, '{"health":{},"health":{"state":"green"}}').why).toContain("`health.state` more than once");
    // Its own name comes first, and each part of a path counts.
    expect(healthy(rule, 200, '{"health":{"state":"red"},"health.state":"green"}')).toBe(true);
    for (const twice of [
      '{"health.state":"red","health.state":"green"}',
      '{"health":{"state":"red","state":"green"}}',
      '{"health":{"state":"red"},"health":{"state":"green"},"list":[{"health":1}]}',
    ])
      expect(asked(rule, 200, twice).why).toContain("`health.state` more than once");
    for (const once of [
      '{"list":[{"health":{"state":1}}],"other":{"health":1,"state":2},"health":{"state":"green","of":{"state":"red"}}}',
      '{"state":"red","health":{"list":[{"state":"red"}],"state":"green"}}',
    ])
      expect(healthy(rule, 200, once)).toBe(true);
    expect(healthy({ ...rule, field: "health.0" }, 200, '{"health":["green"]}')).toBe(false);
    expect(healthy({ ...rule, field: "constructor.name", equals: ["Object"] }, 200, "{}")).toBe(false);
    expect(healthy({ ...rule, field: "__proto__" }, 200, "{}")).toBe(false);
  });

  it("takes a plain 2xx, or a plain text", () => {
    for (const body of ["", "OK", "<html>", NESTED]) expect(healthy(PLAIN, 204, body)).toBe(true);
    expect(healthy(PLAIN, 302, "")).toBe(false);
    const rule = { ...PLAIN, text: ["OK"] };
    expect([healthy(rule, 200, "OK\n"), healthy(rule, 200, "NOT OK"), healthy(rule, 500, "OK")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(asked(rule, 200, "no").why).toBe("expected HTTP 2xx with the text OK, found HTTP 200 with another text");
    expect(asked({ ...rule, text: ["OK", "UP"] }, 200, " ").why).toBe(
      "expected HTTP 2xx with the text OK or UP, found HTTP 200 with an empty body",
    );
    expect(asked(PLAIN, 204, "OK").why).toBe("expected HTTP 2xx, found HTTP 204");
    expect(asked({ ...UP, status: [200, 503], equals: ["pass", "warn"] }, 500, "").why).toBe(
      "expected HTTP 200 or 503 with `status` pass or warn, found HTTP 500 with an empty body",
    );
  });

  it("takes a port that takes connections, and a command that ends with status 0", () => {
    const answer = (code: number, error = "", body = "") => ({ code, body: Buffer.from(body), error });
    const tcp = probeAt({ kind: "tcp", host: "{address}", port: 5432 }, "10.0.0.1");
    expect(judge(tcp, answer(0)).healthy).toBe(true);
    expect(judge(tcp, answer(1, "Connection refused"))).toMatchObject({
      healthy: false,
      why: "expected 10.0.0.1:5432 to take connections, found Connection refused",
    });
    expect(judge(tcp, answer(0)).why).toBe("expected 10.0.0.1:5432 to take connections, found that it does");
    expect(judge(tcp, answer(1)).why).toBe("expected 10.0.0.1:5432 to take connections, found none");
    const command = { kind: "command", command: "pg_isready" } as const;
    expect(judge(command, answer(0)).answer).toBe("ok");
    expect(judge(command, answer(0, "", " accepting\n")).answer).toBe("accepting");
    expect(judge(command, answer(2)).answer).toBe("exit status 2");
    expect(judge(command, answer(2, " refused\n", " no\n")).answer).toBe("no\nrefused");
    expect(judge(command, answer(0)).healthy).toBe(true);
    expect(judge(command, answer(2)).why).toBe("expected `pg_isready` to end with status 0, found 2");
    expect(judge(command, answer(124)).why).toContain("found that it did not end in time");
  });
});

it("a probe has the host's address wherever it is named", () => {
  const http = { kind: "http", url: "http://{address}:80/{address}", rule: PLAIN } as const;
  expect(probeAt(http, "h")).toEqual({ ...http, url: "http://h:80/h" });
  expect(probeAt(http, "fd00::1")).toEqual({ ...http, url: "http://[fd00::1]:80/[fd00::1]" });
  const command = { kind: "command", command: "pg_isready -h {address}" } as const;
  expect(probeAt(command, "h")).toEqual({ kind: "command", command: "pg_isready -h h" });
});

describe("the judge, whatever it is given", () => {
  it("takes for healthy exactly what says so in the outermost object, with a 2xx", () => {
    const body = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), body, fc.boolean(), (code, value, says) => {
        const said =
          says && typeof value === "object" && !Array.isArray(value) ? { ...value, status: "healthy" } : value;
        const right =
          code >= 200 && code < 300 && typeof said === "object" && said !== null && "status" in said
            ? Object.hasOwn(said, "status") && said.status === "healthy"
            : false;
        expect(healthy(DEFAULT, code, JSON.stringify(said))).toBe(right);
      }),
    );
  });

  it("never takes what is deeper for the answer", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("checks", "db", "0", "details"), { minLength: 1, maxLength: 4 }), (path) => {
        const inner = path.reduceRight<object>((value, key) => ({ [key]: value }), { status: "healthy" });
        expect(healthy(DEFAULT, 200, JSON.stringify(inner))).toBe(false);
        expect(healthy(DEFAULT, 200, JSON.stringify({ ...inner, status: "unhealthy" }))).toBe(false);
      }),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), fc.uint8Array({ maxLength: 200 }), (code, bytes) => {
        const verdict = asked(DEFAULT, code, Buffer.from(bytes));
        expect(verdict.why).toMatch(/^expected .*, found /);
      }),
    );
  });
});

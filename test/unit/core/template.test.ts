import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldsIn, filled, rendered, TemplateError } from "../../../core/template";

const URL_TEMPLATE = "postgresql+psycopg://{username}:{password|url}@{host}:{port}/{dbname}";

/** Any text that PostgreSQL takes for a name or a password; a URL has no lone surrogates. */
const text = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
const logins = fc.record({
  username: text,
  password: text,
  host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
  port: fc.integer({ min: 1, max: 65_535 }),
  // `.` and `..` are steps in the path of every URL, encoded or not.
  dbname: text.filter((name) => ![".", ".."].includes(name)),
});

const bare = (host: string) => host.replace(/^\[(.*)\]$/, "$1");

describe("a connection string", () => {
  it("is read back by WHATWG's URL as the same user, password, host, port and database", () =>
    fc.assert(
      fc.property(logins, (login) => {
        const url = new URL(String(rendered(URL_TEMPLATE, login)));
        expect(decodeURIComponent(url.username)).toBe(login.username);
        expect(decodeURIComponent(url.password)).toBe(login.password);
        expect(decodeURIComponent(url.pathname.slice(1))).toBe(login.dbname);
        expect(url.port).toBe(String(login.port));
        const host = new URL(`x://${login.host.includes(":") ? `[${login.host}]` : login.host}`).hostname;
        expect(bare(url.hostname)).toBe(bare(host));
      }),
    ));

  it("is read back by Python's urllib and by a reader of libpq's keywords", () => {
    const given = fc.sample(logins, { numRuns: 300, seed: 16 });
    const keywords = "host={host} port={port} dbname={dbname} user={username} password={password}";
    const made = given.map((login) => [rendered(URL_TEMPLATE, login), rendered(keywords, login)]);
    const read = JSON.parse(
      execFileSync("python3", ["-c", PYTHON], { input: JSON.stringify(made), encoding: "utf8" }),
    ) as unknown[];
    expect(read).toEqual(
      given.map(({ username, password, host, port, dbname }) => [
        [username, password, host.toLowerCase(), port, dbname],
        [host, String(port), dbname, username, password],
      ]),
    );
  });

  it.each([
    ["postgresql://{username}:{password}@{host}:{port}/{dbname}", "postgresql://a%20b:p%40%2F%3A%27@[::1]:5432/d%25b"],
    ["postgresql:///{dbname}?host={host|url}&user={username}", "postgresql:///d%25b?host=%3A%3A1&user=a%20b"],
    ["jdbc:postgresql://{host}/{dbname}?password={password}", "jdbc:postgresql://[::1]/d%25b?password=p%40%2F%3A%27"],
    ["password={password|raw}", "password=p@/:'"],
    ["user={username} password={password}", "user='a b' password='p@/:\\''"],
    ['{{"user":"{username|json}"}}', '{"user":"a b"}'],
    ["{username} at {host}", "a b at ::1"],
    ["{{port}}", "{port}"],
  ])("encodes each field for its place: %s", (template, expected) => {
    const login = { username: "a b", password: "p@/:'", host: "::1", port: 5432, dbname: "d%b" };
    expect(rendered(template, login)).toBe(expected);
    // What the config gives is filled in first, and the rest comes out the same.
    const { username, password, ...given } = login;
    expect(rendered(filled(template, given), { username, password })).toBe(expected);
  });
});

describe("a template", () => {
  it("filled in two parts is what it is at once", () =>
    fc.assert(
      fc.property(
        logins,
        fc.constantFrom(URL_TEMPLATE, "host={host} a={password}", "{host}", "{host}={password}"),
        (login, template) => {
          const { host, port, dbname, ...open } = login;
          const first = filled(template, { host, port, dbname });
          expect(fieldsIn(first).every((field) => Object.hasOwn(open, field))).toBe(true);
          expect(rendered(first, open)).toBe(rendered(template, login));
        },
      ),
    ));

  it("of one field alone has the field's own type; anything else is a text, and a fixed value stays what it is", () => {
    expect(rendered("{port}", { port: 5432 })).toBe(5432);
    expect(rendered("{port|raw}", { port: 5432 })).toBe("5432");
    expect(rendered("{{{port}}}", { port: 5432 })).toBe("{5432}");
    expect([rendered(5432, {}), rendered(true, {}), rendered("text", {})]).toEqual([5432, true, "text"]);
  });

  it.each([
    ["{pasword}", "expected a field (one of username, password), found {pasword}"],
    ["{password|base64}", "expected a filter (one of url, libpq, json, raw), found {password|base64}"],
    ["{password|}", "expected a filter (one of url, libpq, json, raw), found {password|}"],
    ["{", "expected {{ or }} for a brace, found a single {"],
    ["a}", "expected {{ or }} for a brace, found a single }"],
    ["{password|toString}", "expected a filter (one of url, libpq, json, raw), found {password|toString}"],
  ])("is refused with what is valid: %s", (template, message) => {
    expect(() => fieldsIn(template, ["username", "password"])).toThrow(new TemplateError(message));
  });
});

/** As psycopg reads a URL (RFC 3986), and libpq's keywords by its documented rules. */
const PYTHON = `
import json, re, sys
from urllib.parse import urlsplit, unquote
def keywords(text):
    found = re.findall(r"(\\w+)='((?:[^'\\\\\\\\]|\\\\\\\\.)*)'", text, re.S)
    return [re.sub(r"\\\\\\\\(.)", r"\\1", value, flags=re.S) for _, value in found]
def url(text):
    parts = urlsplit(text)
    return [unquote(parts.username), unquote(parts.password), parts.hostname, parts.port, unquote(parts.path[1:])]
print(json.dumps([[url(a), keywords(b)] for a, b in json.load(sys.stdin)]))
`;

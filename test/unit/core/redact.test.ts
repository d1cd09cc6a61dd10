import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formsOf, redact, redactIn } from "../../../core/redact";
import { leaksIn } from "../leaks/forms";

const secret = fc.string({ minLength: 6, maxLength: 40 }).filter((text) => !"[secret]".includes(text));

describe("redact", () => {
  it("leaves no form of a secret", () => {
    fc.assert(
      fc.property(secret, (value) => {
        const forms = [
          value,
          encodeURIComponent(value),
          JSON.stringify(value),
          Buffer.from(value, "utf8").toString("base64"),
          Buffer.from(value, "utf8").toString("base64url"),
        ];
        for (const form of forms) expect(redact(`before|${form}|after`, [value])).not.toContain(`|${form}|`);
      }),
    );
  });

  it("leaves none inside of more, in whatever form, nor anything else changed", () => {
    const around = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const whole = `${before}${value}${after}`;
        const written = [
          whole,
          encodeURIComponent(whole),
          JSON.stringify(whole),
          Buffer.from(whole).toString("hex"),
          Buffer.from(whole).toString("base64"),
          Buffer.from(whole).toString("base64url"),
        ];
        for (const text of written) expect(leaksIn(redact(text, [value]), { it: value }), text).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(redact(text, ["a-credential-that-nobody-has"])).toBe(text);
      }),
    );
  });

  it("takes any text for a secret, half a character too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.string({ unit: "binary" })), (text, secrets) => {
        expect(typeof redact(text, [...secrets, "\ud800-half-a-character"])).toBe("string");
      }),
    );
  });

  it("hides a secret that contains another as a whole", () => {
    expect(redact("hunter22-long", ["hunter22", "hunter22-long"])).toBe("[secret]");
  });

  it("replaces one of less than six characters if it stands by itself, and leaves words that contain it", () => {
    for (const short of ["x", "1234", "a.c", "$1$2", "p@ss"]) {
      for (const text of [
        short,
        `password "${short}" refused`,
        `postgres://trader:${short}@db/trader`,
        `pw=${short};`,
      ]) {
        expect(redact(text, [short]), text).toBe(text.replace(short, () => "[secret]"));
      }
    }
    expect(redact("a trader trades", ["trade"])).toBe("a trader trades");
    expect(redact("abc", ["a.c"])).toBe("abc");
    const base64 = Buffer.from("1234").toString("base64url");
    expect(redact(`Basic ${base64}`, ["1234"])).toBe("Basic [secret]");
  });

  it("replaces each line of a key, but none of its frame", () => {
    const key =
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\nQyNTUxOQAAACDmZ3Rh\n-----END OPENSSH PRIVATE KEY-----\n";
    expect(redact("bad line QyNTUxOQAAACDmZ3Rh of -----BEGIN OPENSSH PRIVATE KEY-----", [key])).toBe(
      "bad line [secret] of -----BEGIN OPENSSH PRIVATE KEY-----",
    );
  });

  it.each([
    ["it's 1", "it''s 1"],
    ["it's 1", "it'\\''s 1"],
    ["p/w (1)!", "p%2fw%20%281%29%21"],
    ["p/w (1)!", "p%2Fw+(1)!"],
    ["p*ssword", "p%2Assword"],
    ["p*ssword", "p%2assword"],
    ["p@ssword", "7040737377 6F7264".replace(" ", "")],
  ])("knows %s as a shell, SQL, a form or a dump writes it: %s", (secret, form) => {
    expect(redact(`<${form}>`, [secret])).toBe("<[secret]>");
  });

  it("replaces exactly its own characters in the base64 of a longer text, at any place", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{9,24}$/);
    fc.assert(
      fc.property(word, fc.string({ unit: "grapheme-ascii", maxLength: 6 }), (value, before) => {
        const whole = Buffer.from(`${before}${value}zzz`).toString("base64");
        // Only characters all of whose six bits come from the secret.
        const [start, end] = [Math.ceil((before.length * 8) / 6), Math.floor(((before.length + value.length) * 8) / 6)];
        expect(redact(whole, [value])).toBe(`${whole.slice(0, start)}[secret]${whole.slice(end)}`);
      }),
    );
    fc.assert(
      fc.property(word, (value) => {
        expect(redact(`<${Buffer.from(value).toString("base64url")}>`, [value])).toBe("<[secret]>");
      }),
    );
  });

  it("replaces every occurrence, and nothing for no secret or an empty one", () => {
    expect(redact("hunter22, hunter22", ["hunter22"])).toBe("[secret], [secret]");
    for (const none of [[], [""]]) expect(redact("a - b", none)).toBe("a - b");
    expect(redact("a - hunter22", ["", "hunter22"])).toBe("a - [secret]");
    // However many short ones there are besides a long one.
    const short = [..."abcdefghijklmnopqrstuvwxyz"].slice(
      0,
      [...formsOf("hunter22")].filter(({ length }) => length >= 6).length,
    );
    expect(redact("hunter22", [...short, "hunter22"])).toBe("[secret]");
  });

  it("leaves its own replacement as it is", () => {
    expect(redact("a b", ["a", "secret", "[", "]"])).toBe("[secret] b");
  });
});

describe("redactIn", () => {
  it("changes texts alone: what is JSON stays JSON, whatever the secret", () => {
    const value = { ok: true, pid: 123456, loggedInAs: "trader", said: ["no 123456", { ok: "true" }], none: null };
    expect(redactIn(value, ["123456", "true", "ok", "pid"])).toEqual({
      ...value,
      said: ["no [secret]", { ok: "[secret]" }],
    });
  });
});

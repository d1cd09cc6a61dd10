import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact, secretsIn } from "../../rotation/redact";
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

  it("leaves short texts alone: they would match by chance", () => {
    expect(redact("a trade", ["trade"])).toBe("a trade");
  });
});

describe("secretsIn", () => {
  it("finds what stands under a key that names a credential, however deep", () => {
    expect(
      secretsIn({ username: "trader", current: { password: "p1", entries: [{ path: "a/b", value: "p2" }] } }),
    ).toEqual(["p1", "p2"]);
  });

  it("takes neither a secret's name nor a public value for one", () => {
    const entries = [
      { path: "database/username", value: "trader_a", public: true },
      { path: "database/password", value: "p2" },
    ];
    expect(secretsIn({ secretName: "database/password", entries })).toEqual(["p2"]);
  });
});

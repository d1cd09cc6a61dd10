import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact, secretsIn } from "../../rotation/redact";

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

import { expect, it } from "vitest";
import { derivedSalt, scramVerifier } from "../../../core/scram";

const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";
const of = (password: string) => scramVerifier(password, SALT);

it("is what PostgreSQL stores for the password and the salt of RFC 7677", () => {
  expect(of("pencil")).toBe(
    `SCRAM-SHA-256$4096:${SALT}$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=`,
  );
});

it("is another one for another salt", () => {
  const other = "c2FsdHNhbHRzYWx0c2FsdA==";
  expect(scramVerifier("pencil", other).startsWith(`SCRAM-SHA-256$4096:${other}$`)).toBe(true);
  expect(scramVerifier("pencil", other).split("$")[2]).not.toBe(of("pencil").split("$")[2]);
});

it("a derived salt is the same each time, and another one for each other stack, slot or generation", () => {
  const salt = derivedSalt("prod", "database-password-slot-a", 2);
  expect(Buffer.from(salt, "base64")).toHaveLength(16);
  expect(derivedSalt("prod", "database-password-slot-a", 2)).toBe(salt);
  const others = [
    derivedSalt("paper", "database-password-slot-a", 2),
    derivedSalt("prod", "database-password-slot-b", 2),
    derivedSalt("prod", "database-password-slot-a", 4),
  ];
  expect(new Set([salt, ...others]).size).toBe(4);
});

it.each([
  ["a soft hyphen is nothing", "I\u00adX", "IX"],
  ["a ligature is its letters", "\ufb01le", "file"],
  ["a space of another kind is a space", "a\u00a0b", "a b"],
  ["beside a character that Unicode 3.2 does not have, too", "\u0221\u00ad", "\u0221"],
])("prepares the password: %s", (_, password, same) => {
  expect(of(password)).toBe(of(same));
});

it("takes a password that cannot be prepared as it is", () => {
  // A control character is forbidden, so the soft hyphen stays.
  expect(of("a\u0007\u00ad")).not.toBe(of("a\u0007"));
  expect(of("a\u0007")).not.toBe(of("a"));
});

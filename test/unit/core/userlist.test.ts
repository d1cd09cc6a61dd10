import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changedUserlist, usersIn } from "../../../core/userlist";

const name = fc.oneof(
  fc.constantFrom("trader", "trader_a", 'say "no"', "a b", "Ünï"),
  fc.stringMatching(/^[a-z"][a-z" _]{0,8}$/),
);
const verifier = fc.constantFrom("SCRAM-SHA-256$4096:c2FsdA==$a:b", "md5abc", 'pl"ain');
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const entry = fc.tuple(name, verifier, fc.constantFrom("", " ", ' "2030-01-01"')).map(([user, secret, rest]) => ({
  user,
  line: `${quoted(user)} ${quoted(secret)}${rest}`,
}));
const other = fc.constantFrom("", "; a comment", ';"trader" "md5abc"', "  ").map((line) => ({ user: undefined, line }));
const list = fc.array(fc.oneof(entry, other), { maxLength: 8 });
const text = (lines: readonly { line: string }[]) => lines.map(({ line }) => `${line}\n`).join("");

describe("PgBouncer's user list", () => {
  it("keeps every other line as it is and in its place, whatever is set or removed", () =>
    fc.assert(
      fc.property(list, fc.dictionary(name, verifier), fc.array(name), (lines, set, remove) => {
        const changed = changedUserlist(text(lines), { set, remove }).split("\n");
        const ours = (user: string | undefined) =>
          user !== undefined && (Object.hasOwn(set, user) || remove.includes(user));
        const others = lines.filter(({ user }) => !ours(user)).map(({ line }) => line);
        const rest = changed.filter((line) => !ours(usersIn(line)[0]));
        expect(rest.filter((line) => line !== "")).toEqual(others.filter((line) => line !== ""));
      }),
    ));

  it("has each user that is set once, none that is removed, and is the same when changed again", () =>
    fc.assert(
      fc.property(list, fc.dictionary(name, verifier), fc.array(name), (lines, set, remove) => {
        const changes = { set, remove: remove.filter((user) => !Object.hasOwn(set, user)) };
        const changed = changedUserlist(text(lines), changes);
        for (const [user, secret] of Object.entries(set)) {
          expect(usersIn(changed).filter((found) => found === user)).toHaveLength(1);
          expect(changed).toContain(`${quoted(user)} ${quoted(secret)}`);
        }
        for (const user of changes.remove) expect(usersIn(changed)).not.toContain(user);
        expect(changedUserlist(changed, changes)).toBe(changed);
      }),
    ));

  it.each([
    ["a list without a last line break", '"a" "b"', '"a" "b"\n"trader" "v"\n'],
    ["an empty list", "", '"trader" "v"\n'],
    ["Windows' line breaks", '"a" "b"\r\n', '"a" "b"\r\n"trader" "v"\n'],
  ])("adds a user to %s", (_, before, after) =>
    expect(changedUserlist(before, { set: { trader: "v" }, remove: [] })).toBe(after),
  );
});

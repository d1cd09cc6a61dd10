import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AclUser,
  parseAclLine,
  parseConnections,
  parseInfo,
  parseUser,
  passwordHash,
  passwordRules,
  slotChange,
} from "../../../../kinds/redis-password/acl";

const hash = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
const hashes = fc.uniqueArray(hash, { maxLength: 5 });
const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(64)) as [string, string, string];

/** What `ACL GETUSER` answers in Redis 6 and in Redis 7. */
const reply = ({ on, nopass, passwords }: AclUser, version: 6 | 7) => [
  "flags",
  [on ? "on" : "off", ...(nopass ? ["nopass"] : []), ...(version === 6 ? ["allkeys"] : ["sanitize-payload"])],
  ...["passwords", passwords, "commands", "-@all +get"],
  ...(version === 6 ? ["keys", ["app:*"], "channels", []] : ["keys", "~app:*", "channels", "", "selectors", []]),
];

/** A user as the rules of a line make it, one after the other: what Redis does. */
const line = (name: string, { on, nopass, passwords }: AclUser) =>
  `user ${name} ${on ? "on" : "off"} ${nopass ? "nopass " : ""}sanitize-payload ${passwords.map((one) => `#${one} `).join("")}~app:* resetchannels -@all +get`;

const user = fc
  .record({ on: fc.boolean(), nopass: fc.boolean(), passwords: hashes })
  // A user without a password that is asked for one has none.
  .map((one) => (one.nopass ? { ...one, passwords: [] } : one));

describe("an ACL user", () => {
  it("is read from ACL GETUSER of Redis 6 and 7, as a list and as a map", () => {
    fc.assert(
      fc.property(user, fc.constantFrom(6 as const, 7 as const), (given, version) => {
        const list = reply(given, version);
        expect(parseUser(list)).toEqual(given);
        const pairs = list.flatMap((key, at) => (at % 2 === 0 ? [[key, list[at + 1]]] : []));
        expect(parseUser(Object.fromEntries(pairs))).toEqual(given);
      }),
    );
  });

  it("is undefined if there is none, and nothing else is taken for one", () => {
    expect(parseUser(null)).toBeUndefined();
    for (const other of ["OK", [], ["flags", "on"], ["flags", ["on"], "passwords", [1]]])
      expect(() => parseUser(other)).toThrow("without flags and passwords");
  });

  it("is read from a line of ACL LIST and of an ACL file", () => {
    fc.assert(
      fc.property(user, fc.stringMatching(/^[a-z][\w:-]{0,10}$/), (given, name) => {
        expect(parseAclLine(line(name, given))).toEqual({ name, ...given });
      }),
    );
    expect(parseAclLine("")).toBeUndefined();
    expect(parseAclLine("# a comment")).toBeUndefined();
    expect(parseAclLine(`user app on #${A} !${A} #${B} nopass resetpass #${C}`)?.passwords).toEqual([C]);
    expect(parseAclLine(`user app on #${A} nopass`)).toMatchObject({ nopass: true, passwords: [] });
    expect(parseAclLine(`user app on nopass #${A}`)).toMatchObject({ nopass: false, passwords: [A] });
    expect(parseAclLine("user app on reset")).toMatchObject({ on: false });
  });
});

describe("the rules that change passwords", () => {
  /** What Redis makes of rules; it refuses to remove what is not there. */
  const carriedOut = (passwords: readonly string[], rules: readonly string[]) =>
    rules.reduce((now, rule) => {
      const one = rule.slice(1);
      if (rule.startsWith("#")) return now.concat(one);
      expect(now).toContain(one);
      return now.filter((other) => other !== one);
    }, passwords);

  it("bring a user to ours, keep the passwords of others, and are none the second time", () => {
    fc.assert(
      fc.property(hashes, hashes, hashes, (there, add, remove) => {
        const after = carriedOut(there, passwordRules(there, { add, remove }));
        const over = remove.filter((one) => !add.includes(one));
        expect(new Set(after)).toEqual(new Set([...there, ...add].filter((one) => !over.includes(one))));
        expect(after.filter((one) => !add.includes(one))).toEqual(
          there.filter((one) => !over.includes(one) && !add.includes(one)),
        );
        expect(passwordRules(after, { add, remove })).toEqual([]);
      }),
    );
  });

  it("leave a slot its own password alone, and the other slot its own", () => {
    const maybe = fc.option(fc.constantFrom(A, B, C), { nil: undefined });
    const others = fc.subarray([A, B, C]);
    fc.assert(
      fc.property(maybe, maybe, fc.boolean(), others, (own, before, valid, keep) => {
        const { add, remove } = slotChange({ own, before, valid, keep });
        const there = new Set([...keep, ...(before === undefined ? [] : [before])]);
        const after = new Set(carriedOut([...there], passwordRules([...there], { add, remove })));
        for (const hash of keep) expect(after).toContain(hash);
        // What the slot leaves behind beside the other's: its own password if that may be used, else nothing.
        const left = [...after].filter((hash) => !keep.includes(hash));
        const ours = own ?? before;
        expect(left).toEqual(valid && ours !== undefined && !keep.includes(ours) ? [ours] : []);
        // Again, with the answer from before: nothing to do.
        const again = slotChange({ own, before: ours, valid, keep });
        expect(passwordRules([...after], again)).toEqual([]);
      }),
    );
  });

  it("name a password by its SHA-256 alone", () => {
    expect(passwordHash("pässword")).toBe(createHash("sha256").update("pässword").digest("hex"));
    expect(passwordRules([A], { add: [B, B], remove: [A, C] })).toEqual([`#${B}`, `!${A}`]);
    expect(passwordRules([A], { add: [A], remove: [A] })).toEqual([]);
  });
});

describe("CLIENT LIST and INFO", () => {
  it("gives each connection with its user, its name and its age", () => {
    const text = [
      "id=3 addr=10.0.0.7:52555 laddr=10.0.0.1:6379 fd=8 name=signal age=855 idle=0 flags=N db=0 cmd=get user=app redir=-1 resp=2 lib-name= lib-ver=",
      "id=4 addr=[fd00::7]:52 laddr=[::1]:6379 fd=9 name= age=0 idle=0 flags=N cmd=client|list user=rotation redir=-1 resp=2 lib-name=redis-py lib-ver=5.0",
      "id=x addr=10.0.0.8:1 name= age=1 user=app",
      "id=5 addr=/run/redis.sock:0 name= age=2 idle=1",
      "",
    ].join("\n");
    expect(parseConnections(text)).toEqual([
      { id: 3, user: "app", name: "signal", from: "10.0.0.7", age: 855 },
      { id: 4, user: "rotation", name: "redis-py", from: "fd00::7", age: 0 },
    ]);
    fc.assert(fc.property(fc.string(), (any) => void parseConnections(any)));
  });

  it("gives the values of INFO, which may contain a colon", () => {
    const info = parseInfo("# Server\r\nredis_version:7.0.15\r\nconfig_file:/etc/redis:1.conf\r\n\r\n");
    expect([...info]).toEqual([
      ["redis_version", "7.0.15"],
      ["config_file", "/etc/redis:1.conf"],
    ]);
    fc.assert(fc.property(fc.string(), (any) => void parseInfo(any)));
  });
});

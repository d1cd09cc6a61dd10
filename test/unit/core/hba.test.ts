import { describe, expect, it } from "vitest";
import { type HbaRule, hbaDifferences } from "../../../core/hba";

/** A line as in the file, with its mask. */
function rules(...lines: string[]): HbaRule[] {
  return lines.map((text, index) => {
    const [type = "", databases = "", users = "", ...rest] = text.split(" ");
    const [address = null, netmask = null, method = ""] = type === "local" ? [null, null, rest[0]] : rest;
    const named = address === "all" || rest.length === 2;
    return {
      line: index + 1,
      type,
      databases: databases.split(","),
      users: users.split(","),
      address,
      netmask: named ? null : netmask,
      method: named ? (rest[1] ?? "") : method,
    };
  });
}

const owner = { name: "trader", groups: ["trader", "staff"] };
const login = { name: "trader_b", groups: ["trader_b", "trader", "staff"] };
const refusedBy = (...lines: string[]) =>
  hbaDifferences(rules(...lines), "trader", owner, login).map(({ rule, other }) => [rule.line, other?.line]);

const NET = "10.0.0.0 255.0.0.0";

describe("lines of pg_hba.conf that let the owner in and not its login role", () => {
  it.each([
    ["names the owner alone", [`host all trader ${NET} scram-sha-256`], [[1, undefined]]],
    [
      "names the owner, then rejects the rest",
      [`hostssl trader trader ${NET} md5`, "host all all all reject"],
      [[1, 2]],
    ],
    ["names the owner, then lets all in", [`host all trader ${NET} md5`, "host all all all scram-sha-256"], []],
    [
      "names the owner, and a part of the net for all",
      [`host all trader ${NET} md5`, "host all all 10.1.0.0 255.255.0.0 md5"],
      [[1, undefined]],
    ],
    [
      "names the owner on a part of what is for all",
      ["host all trader 10.1.0.0 255.255.0.0 md5", `host all all ${NET} md5`],
      [],
    ],
    ["names members of the owner", [`host all +trader ${NET} scram-sha-256`], []],
    ["names members of a group of the owner", [`host all +staff ${NET} scram-sha-256`], []],
    ["names both by an expression", [`host all /^trader ${NET} scram-sha-256`], []],
    ["names the owner by an expression", [`host all /^trader$ ${NET} scram-sha-256`], [[1, undefined]]],
    ["is for a database of the user's name", [`host sameuser all ${NET} md5`], [[1, undefined]]],
    ["is for a database of a role's name", [`host samerole all ${NET} md5`], []],
    ["is for another database", [`host other trader ${NET} md5`], []],
    ["rejects the owner", [`host all trader ${NET} reject`], []],
    [
      "names the owner, and asks all others for a certificate",
      [`host all trader ${NET} md5`, `host all all ${NET} cert`],
      [[1, 2]],
    ],
    ["names the owner over a socket", ["local all trader peer", "local all all scram-sha-256"], []],
    [
      "is for TLS, and the plain one is for all",
      [`hostssl all trader ${NET} md5`, `hostnossl all all ${NET} md5`],
      [[1, undefined]],
    ],
    [
      "has IPv6",
      ["host all trader fe80:: ffff:: md5", "host all all fe80::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff md5"],
      [[1, undefined]],
    ],
    ["has IPv6 for all", ["host all trader fe80:: ffff:: md5", "host all all :: :: md5"], []],
    [
      "has IPv6 in full",
      [
        "host all trader 2001:DB8:1:2:3:4:5:6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff md5",
        "host all all 2001:db8:: ffff:ffff:: md5",
      ],
      [],
    ],
    [
      "has IPv6 of another net",
      [
        "host all trader 2001:db8:1:2:3:4:5:6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff md5",
        "host all all 2001:db9:: ffff:ffff:: md5",
      ],
      [[1, undefined]],
    ],
    [
      "is for every IPv4 address, and that of all for every IPv6 one",
      ["host all trader 0.0.0.0 0.0.0.0 md5", "host all all :: :: md5"],
      [[1, undefined]],
    ],
    [
      "is for every IPv6 address, and that of all for every IPv4 one",
      ["host all trader :: :: md5", "host all all 0.0.0.0 0.0.0.0 md5"],
      [[1, undefined]],
    ],
    [
      "has the address of all, and a wider mask",
      [`host all trader ${NET} md5`, "host all all 10.0.0.0 255.255.0.0 md5"],
      [[1, undefined]],
    ],
    ["names a host", ["host all trader app.example md5", "host all all app.example md5"], []],
    ["names another host", ["host all trader app.example md5", "host all all db.example md5"], [[1, undefined]]],
    ["names a host of hex digits", ["host all trader face md5", "host all all :: :: md5"], [[1, undefined]]],
    ["is for all hosts", ["host all trader all md5", `host all all ${NET} md5`], [[1, undefined]]],
    ["is for all roles, by a certificate", [`host all all ${NET} cert`], []],
    ["is for several databases, and ours", [`host other,trader trader ${NET} md5`], [[1, undefined]]],
    ["is for several roles, and the owner", [`host all other,trader ${NET} md5`], [[1, undefined]]],
    ["is for the databases of groups, of another user", [`host samerole trader ${NET} md5`], [[1, undefined]]],
    [
      "names the owner, and asks its members for a certificate",
      [`host all trader ${NET} md5`, `host all +trader ${NET} cert`],
      [[1, 2]],
    ],
    [
      "is for the last part of a net whose mask is no whole byte",
      ["host all trader 10.15.255.0 255.255.255.0 md5", "host all all 10.0.0.0 255.240.0.0 md5"],
      [],
    ],
    [
      "is for what is next to a net whose mask is no whole byte",
      ["host all trader 10.16.0.0 255.255.255.0 md5", "host all all 10.0.0.0 255.240.0.0 md5"],
      [[1, undefined]],
    ],
    [
      "is for one IPv6 address of a net",
      ["host all trader fe80::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff md5", "host all all fe80:: ffff:: md5"],
      [],
    ],
    ["is for another role", [`host all trader_x,/^x ${NET} md5`], []],
    ["is for members of another role", [`host all +traders ${NET} md5`], []],
    ["is for a database by an expression", [`host /^tra trader ${NET} md5`], [[1, undefined]]],
    ["is for databases by an expression that is none", [`host /( trader ${NET} md5`], []],
    ["is for the databases of groups, by the old word", [`host samegroup trader ${NET} md5`], [[1, undefined]]],
    ["names a database like a word, and it is not one", [`host tra trader ${NET} md5`], []],
    ...["trust", "password", "md5", "scram-sha-256"].map((method): [string, string[], [number, number][]] => [
      `names the owner, and all others by ${method}`,
      [`host all trader ${NET} md5`, `host all all ${NET} ${method}`],
      [],
    ]),
    ...["reject", "ident", "ldap", "cert"].map((method): [string, string[], [number, number][]] => [
      `names the owner, and all others by ${method}`,
      [`host all trader ${NET} md5`, `host all all ${NET} ${method}`],
      [[1, 2]],
    ]),
  ])("%s", (_, lines, expected) => {
    expect(refusedBy(...lines)).toEqual(expected);
  });

  /** The kinds of connections that each type of line is about, by the server's documentation. */
  const ABOUT: Readonly<Record<string, readonly string[]>> = {
    local: ["socket"],
    host: ["plain", "ssl", "gss"],
    hostssl: ["ssl"],
    hostnossl: ["plain", "gss"],
    hostgssenc: ["gss"],
    hostnogssenc: ["plain", "ssl"],
  };
  const pairs = Object.keys(ABOUT).flatMap((one) => Object.keys(ABOUT).map((two) => [one, two] as const));

  it.each(pairs)("of the type %s, if the line for all is of the type %s", (one, two) => {
    const line = (type: string, user: string) => `${type} all ${user}${type === "local" ? "" : ` ${NET}`} md5`;
    const all = ABOUT[one]?.every((kind) => ABOUT[two]?.includes(kind));
    expect(refusedBy(line(one, "trader"), line(two, "all"))).toEqual(all ? [] : [[1, undefined]]);
  });

  it("of a group stop at the first line that is for the user's own database, by its name alone", () => {
    const own = { name: "trader", groups: ["trader"] };
    const other = { name: "someone", groups: ["someone"] };
    const lines = rules(`host sameuser all ${NET} md5`, `host samerole all ${NET} md5`);
    expect(hbaDifferences(lines, "trader", other, own)).toEqual([]);
    expect(hbaDifferences(lines, "trader", own, other)).toEqual([{ rule: lines[0], other: undefined }]);
  });
});

import { describe, expect, it } from "vitest";
import { type HbaRule, hbaDifferences } from "../../../core/hba";

/** A line as in the file, with its mask. */
function rules(...lines: string[]): HbaRule[] {
  return lines.map((text, index) => {
    const [type = "", databases = "", users = "", ...rest] = text.split(" ");
    const [address = null, netmask = null, method = ""] = type === "local" ? [null, null, rest[0]] : rest;
    const named = address === "all" || rest.length === 2;
    return {
      ...{ line: index + 1, type, databases: databases.split(","), users: users.split(",") },
      ...{ address, netmask: named ? null : netmask, method: named ? (rest[1] ?? "") : method },
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
    ["names a host", ["host all trader app.example md5", "host all all app.example md5"], []],
  ])("%s", (_, lines, expected) => {
    expect(refusedBy(...lines)).toEqual(expected);
  });
});

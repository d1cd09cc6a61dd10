import { describe, expect, it } from "vitest";
import { noRedis } from "../../../../dev/lab/redis";
import { passwordHash } from "../../../../kinds/redis-password/acl";
import { rehearsed } from "../../../../kinds/redis-password/login";
import { useRedis } from "./support";

const missing = noRedis();
if (missing !== undefined) console.warn(`skipped: the rehearsal of Redis; ${missing}`);
const NEXT = "the-next-password";

/** A command that is a connection to a port, whatever it is asked for. */
const wayTo = (port: number | string) =>
  `${process.execPath} -e 'const s=require("net").connect(${port},"127.0.0.1");s.on("error",()=>process.exit(1));process.stdin.pipe(s).pipe(process.stdout)'`;

describe.skipIf(missing !== undefined)("the rehearsal of a Redis password", () => {
  const named = useRedis({ replicas: 0 });
  /** A server that the config does not name, with the password in use alone. */
  const other = useRedis({ replicas: 0 });
  const inUse = () => named.server().password;
  const ask = (relay: string | undefined, strict = true) =>
    rehearsed(
      named.reference(),
      { places: [{ readers: [{ services: ["signal-service"], ...(relay === undefined ? {} : { relay }) }] }], strict },
      NEXT,
      inUse(),
    );

  it("goes the services' way, and stops where it leads to a server without the new password", async () => {
    await named.server().nodes[0].ask("ACL", "SETUSER", "app", `#${passwordHash(NEXT)}`);
    await other.server().nodes[0].ask("ACL", "SETUSER", "app", `#${passwordHash(inUse())}`);
    const [node] = named.reference().nodes;
    for (const relay of [undefined, wayTo("{port}")]) {
      const { rows, warnings } = await ask(relay);
      expect(rows).toEqual([
        expect.objectContaining({ reader: "signal-service on this machine", path: node, verdict: "ok" }),
      ]);
      expect(warnings).toEqual([]);
    }
    const elsewhere = wayTo(other.server().nodes[0].port);
    const said = await ask(elsewhere).catch((error: Error) => error.message);
    expect(said).toContain(
      `signal-service on this machine over ${node}: app cannot log in: WRONGPASS invalid username-password pair or user is disabled., and the password in use is taken there`,
    );
    expect(said).toContain("Store and services are as they were");
    for (const secret of [NEXT, inUse()]) expect(said).not.toContain(secret);
    expect((await ask(elsewhere, false)).warnings).toEqual([expect.stringMatching(/^rehearsal: signal-service/)]);
  });

  it("says what it could not try: services have another way", async () => {
    const { rows, warnings } = await ask(wayTo(1));
    expect(rows).toEqual([expect.objectContaining({ verdict: "unseen" })]);
    expect(warnings).toEqual([
      expect.stringMatching(/^not rehearsed: signal-service on this machine over .*no way to/),
    ]);
  });
});

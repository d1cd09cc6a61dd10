import { expect, it } from "vitest";
import { LeakLife } from "../../dev/prove/leaked/life";
import { SLOTS } from "../../dev/prove/leaked/origins";
import { leakPair } from "../../dev/prove/leaked/pairs";
import { DECOYS } from "../../dev/prove/leaked/planted";
import { advised } from "../advice/table";
import { shell } from "./advice";
import { fine, rotation, unwrapped } from "./cli-support";
import { auditRows, useBench } from "./harness";
import { onTerminal } from "./terminal";

const DATABASE = "database/password";
const bench = useBench({ rotates: "both" });
const life = () => new LeakLife(bench().lab, bench().stack, SLOTS);

it("keeps no fingerprint without a key, and says how to get one", async () => {
  const { exitCode, stderr } = await rotation(bench(), ["leaked"], { input: "a value" });
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("no fingerprint of a credential is kept")]);
});

it("says whose each planted value is and whether it still works, and takes no decoy for one", async () => {
  const one = life();
  await one.begin();
  const { generations, lines, verdicts } = await one.verdicts();
  expect(lines).toBeGreaterThan(DECOYS);
  expect(verdicts).toEqual([
    ...[`${DATABASE} 0 password: refused`, `${DATABASE} 1 password: refused`],
    ...[`${DATABASE} 2 password: works`, `${DATABASE} 3 password: works`],
    ...["alpaca/api_key 0 keyId: refused", "alpaca/api_key 0 secretKey: refused"],
    ...["alpaca/api_key 1 keyId: works", "alpaca/api_key 1 secretKey: works"],
  ]);
  expect(generations).toBe(verdicts.length);
  expect(await one.respondToTheDead()).toBe(0);
  const typed = await onTerminal(bench(), ["leaked"], [["Leaked value", one.textOf(2)]]);
  expect(typed.shown).toContain("database/password: password of generation 2, the previous one; IT STILL WORKS");
  expect(typed.shown).not.toContain(one.textOf(2));
  expect(typed.exitCode).toBe(3);
  const other = await fine(bench(), ["leaked"], { input: "the value of somebody else" });
  expect(unwrapped(other)).toBe("Nothing of this stack: no generation of any secret is in the input (read as a text).");
  const incident = {
    source: "GitGuardian",
    action: "incident_triggered",
    incident: { id: 1, detector: { name: "x" } },
  };
  const without = await rotation(bench(), ["leaked"], { input: JSON.stringify(incident) });
  const then = await shell(bench(), `echo of another | ${advised("rotation leaked", without.stdout)}`);
  expect([without.exitCode, then.exitCode, then.stdout]).toEqual([3, 0, expect.stringContaining("Nothing of this")]);
  const masked = JSON.stringify([{ RuleID: "a", File: "a.env", StartLine: 1, Match: "REDACTED", Secret: "REDACTED" }]);
  const unknown = await rotation(bench(), ["leaked"], { input: masked });
  expect([unknown.exitCode, unwrapped(unknown.stdout)]).toEqual([
    3,
    expect.stringMatching(
      /^1 of 1 finding without the value: nobody can say whose it is\. run gitleaks without --redact: /,
    ),
  ]);
});

it("rotates what leaked, proves that it is refused, ends its sessions, and says if it may not", async () => {
  const first = await life().respond();
  expect(first).toMatchObject({ refused: true, sessionGone: false, leakRow: { action: "LEAK", status: "FAILED" } });
  await bench().lab.postgres.query(advised("sql: GRANT pg_signal_backend", first.sessions));
  const second = await life().respond();
  expect(second).toMatchObject({ refused: true, sessionGone: true, leakRow: { status: "SUCCESS", generation: 4 } });
  expect(second.seconds).toBeLessThan(60);
  const { leak } = second.leakRow.outputs as { leak: Record<string, string> };
  const times = [leak.found, leak.rotated, leak.refused, leak.sessionsGone].map((time) => Date.parse(time ?? ""));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect((await auditRows(bench())).at(-2)).toMatchObject({
    action: "ROTATE",
    generation: 5,
    reason: expect.stringMatching(/generation 4 leaked/),
  });
  expect(await fine(bench(), ["audit", "verify"])).toMatch(/^The chain is intact/);
  expect(await fine(bench(), ["validate"])).toContain("rotation logged");
});

it("says of a pair what the operator has to do, and writes that it still works until then", async () => {
  const { first, next, verdicts, rows } = await leakPair(life(), "paper-trading-2027-02-20");
  expect(first).toContain("`rotation alpaca add-key --stack paper`, then this command again.");
  expect(next).toMatch(/^Delete the key before generation 2 on Alpaca's dashboard/);
  expect(verdicts).toEqual(["works,works", "refused,refused"]);
  expect(rows).toEqual(["ROTATE SUCCESS", "LEAK FAILED", "REVOKE SUCCESS"]);
});

import { formatDuration } from "../../../core/duration";
import { deployStack } from "../../lab/deploy";
import { startLab } from "../../lab/lab";
import { resolveToolchain } from "../../toolchain/resolve";
import type { Proof } from "../proof";
import { REAL_POLICY, RealLife, type RealRotation } from "./real";
import { type Sight, simulate } from "./simulate";

const SIMULATED = 1000;
const REAL = 20;
const HOUR = 3_600_000;

const total = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);

/** Rotations with clients that the config does not name: which of their logins fail, by the rule that ends the old login. */
export const prove: Proof = async (say) => {
  const rows = [
    simulated("samples; consumers with open sessions", { log: false, shortJobs: false, longPauses: false }, true),
    simulated("the server's log too; short logins among them", { log: true, shortJobs: true, longPauses: false }, true),
    simulated("limit: short logins, samples alone", { log: false, shortJobs: true, longPauses: false }, false),
    simulated("limit: pauses longer than quietPeriod", { log: true, shortJobs: true, longPauses: true }, false),
  ];
  say(rows.join("\n"));
  const all = await real(say);
  const failed = total(all.map((one) => one.failed));
  if (failed > 0) throw new Error(`${failed} real logins failed before the limit`);
  const late = Math.max(...all.map(({ ended }) => ended));
  if (late > 27 * HOUR) throw new Error(`an old login ended after ${formatDuration(late)}`);
  const withEvidence = all.filter(({ evidence }) => evidence !== undefined).length;
  if (withEvidence !== REAL) throw new Error(`${withEvidence} of ${REAL} rows say what they rest on`);
  return [
    `${SIMULATED} simulated rotations each: the program's own decision, a random platform, a watcher with outages of up to 16 hours, a run every hour.`,
    "",
    "| What is seen | Logins before the limit | Failed, `quietPeriod` | Failed, unused in that moment | Failed, time alone (24 h) | Ended before the limit | Latest end after it |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    `${REAL} real rotations (PostgreSQL, its log, the lab's clock, ${Object.entries(REAL_POLICY)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ")}; a look every 12 minutes, a run every hour):`,
    "",
    "| Consumers | Logins before the limit | Failed | Failed with a login beside that ends after 2 h | Ended before the limit | Latest end | Rows that say what they rest on |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    `| ${kindsOf(all)} | ${total(all.map(({ logins }) => logins))} | ${failed} | ${total(all.map(({ failedByTime }) => failedByTime))} | ${all.filter(({ early }) => early).length} of ${REAL} | ${formatDuration(late)} | ${withEvidence} of ${REAL} |`,
  ].join("\n");
};

/** @throws Error if a login fails although it can be seen, or one outlives the limit by more than a run's interval */
function simulated(name: string, sight: Sight, mustHold: boolean): string {
  const all = Array.from({ length: SIMULATED }, (_, seed) => simulate(seed, sight));
  const failed = total(all.map((one) => one.failed.quiet));
  const late = Math.max(0, ...all.map(({ revoked, limit }) => revoked - limit));
  if (mustHold && failed > 0) throw new Error(`${name}: ${failed} logins failed before the limit`);
  if (late > HOUR) throw new Error(`${name}: a login ended ${formatDuration(late)} after the limit`);
  const sums = [
    total(all.map(({ logins }) => logins)),
    failed,
    total(all.map((one) => one.failed.moment)),
    total(all.map((one) => one.failed.time)),
    `${all.filter(({ early }) => early).length} of ${SIMULATED}`,
    late === 0 ? "at it" : `${Math.ceil(late / 60_000)} min (the next run)`,
  ];
  return `| ${name} | ${sums.join(" | ")} |`;
}

async function real(say: (text: string) => void): Promise<RealRotation[]> {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const lab = await startLab({ openbao: tools.openbao?.path ?? "" });
  try {
    const life = await RealLife.begin(lab, await deployStack({ lab, tools, only: ["database/password"] }));
    const all: RealRotation[] = [];
    for (let round = 0; round < REAL; round++) {
      const one = await life.rotate(round);
      all.push(one);
      const { consumers, logins, failed, failedByTime, ended } = one;
      say(
        `${round + 1}: ${consumers.join(", ")}: ${logins} logins, ${failed} failed (${failedByTime} beside), ended after ${formatDuration(ended)}`,
      );
    }
    return all;
  } finally {
    await lab.stop();
  }
}

const kindsOf = (all: readonly RealRotation[]) => {
  const kinds = all.flatMap(({ consumers }) => consumers);
  return [...new Set(kinds)].map((kind) => `${kinds.filter((one) => one === kind).length} × ${kind}`).join(", ");
};

import type { Proof } from "../proof";
import { type Setting, type Shown, simulateStacks } from "./simulate";

const STACKS = 1000;

/** A thousand stacks in a cluster whose pods die: what is rotated, when, and what is left behind. */
export const prove: Proof = async (say) => {
  const shown = async (name: string, setting: Partial<Setting>, mustHold: boolean) => {
    const one = await simulateStacks({ seed: 1, stacks: STACKS, sees: "jobs", spread: true, ...setting });
    say(`${name}: ${JSON.stringify(one)}`);
    if (mustHold && (one.once !== STACKS || one.rows !== 3 * STACKS))
      throw new Error(`${one.once} of ${STACKS} rotated once, in an opening and in time; ${one.rows} rows`);
    return rowOf(name, one);
  };
  const rows = [
    await shown("as printed", {}, true),
    await shown("as printed, other accidents", { seed: 2 }, true),
    await shown("all at minute 0, no `policy.jitter`", { spread: false }, false),
    await shown("limit: without the right to see Jobs", { sees: "nothing", stacks: STACKS / 10 }, false),
  ];
  return [
    "Each stack: a password with two logins, adopted on one day, a CronJob every hour, `policy.lead` 4 d or 14 d (window at the",
    "weekend alone), `policy.jitter` 7 d, the exchange's hours, a blackout of four days. In both as-printed rows every login in use",
    "worked at every step, and never did two engines act on a stack.",
    "",
    "| Setting | Stacks rotated once, in an opening, in time | Old login ended | Runs when something may be due | of which acted | Killed | Drained | Node lost, killed / goes on | Locks cleared | Finished by a later run | Rows in the log | Most pods begun in a minute | Most rotations at once |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
};

function rowOf(name: string, shown: Shown): string {
  const { runs, acting, deaths, locksCleared, resumed, once, stuck, rows, peakPods, peakRotations, stacks } = shown;
  const lost = `${deaths["node lost, killed"]} / ${deaths["node lost, goes on"]}`;
  const cells = [
    ...[`${once} of ${stacks}`, `${stacks - stuck} of ${stacks}`, runs, acting, deaths.killed, deaths.drained, lost],
    ...[locksCleared, resumed, rows, peakPods, peakRotations],
  ];
  return `| ${name} | ${cells.join(" | ")} |`;
}

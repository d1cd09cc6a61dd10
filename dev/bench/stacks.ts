import { clockAt, deployStack } from "../lab/deploy";
import { type Outcome, seconds } from "./figures";
import { PERIOD_DAYS, preview, startTooledLab, up, upWithMemory } from "./platform";
import { growthFigures, quietPlatform } from "./scale";

/**
 * (d) again, as docs/proof.md advises it for a state in a file or a bucket: a platform of many databases in stacks of
 * `perStack` each, which rotate one after the other.
 */
export async function stacksBench(say: (text: string) => void, count: number, perStack: number): Promise<Outcome> {
  const { databases, services } = quietPlatform(count);
  const parts = Math.ceil(count / perStack);
  say(`${count} databases: starting them`);
  const { lab, tools } = await startTooledLab({ databases, services });
  try {
    let all = 0;
    const sums: { count: number; rotation: number; took: number; unchanged: number; peakMiB: number }[] = [];
    for (let part = 1; part <= parts; part++) {
      const chosen = databases.slice((part - 1) * perStack, part * perStack);
      const stack = await deployStack({
        lab,
        tools,
        stack: `part-${part}`,
        only: chosen.map(({ secretName }) => secretName),
      });
      const first = await up(stack);
      const { seconds: unchanged } = await preview(stack);
      await stack.configure("lab", clockAt(PERIOD_DAYS));
      const { seconds: took, peakMiB } = await upWithMemory(stack);
      all += took;
      sums.push({ count: Math.min(part * perStack, count), rotation: all, took, unchanged, peakMiB });
      say(`stack ${part} of ${parts}: first update ${seconds(first.seconds)}, rotation of all ${seconds(took)}`);
    }
    const range = (values: readonly number[]) => `${seconds(Math.min(...values))} to ${seconds(Math.max(...values))}`;
    return {
      title: `${count} databases in stacks of ${perStack}`,
      figures: [
        {
          what: `rotation of all ${count}, one stack after the other`,
          measured: `${seconds(all)}; a stack ${range(sums.map(({ took }) => took))}`,
        },
        {
          what: "a stack's preview without a change, and its memory while it rotates",
          measured: `${range(sums.map(({ unchanged }) => unchanged))}; ${Math.round(Math.max(...sums.map(({ peakMiB }) => peakMiB)))} MiB at the most`,
        },
        ...growthFigures(sums.filter((_, index) => index === 0 || index === parts - 1)),
      ],
      notes: [
        "Each stack has a state of its own and writes into the one audit log. All databases and services run the whole time.",
      ],
    };
  } finally {
    await lab.stop();
  }
}

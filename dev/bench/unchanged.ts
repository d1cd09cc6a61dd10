import { atMost, median, type Outcome, seconds } from "./figures";
import { Platform, preview, RUNS, up } from "./platform";

/** (c) an update and a preview that change nothing, against an empty program's. */
export async function unchangedBench(say: (text: string) => void): Promise<Outcome> {
  const platform = await Platform.start({}, { rotates: "both" });
  try {
    await up(platform.stack);
    await up(platform.empty);
    const times = {
      up: [] as number[],
      preview: [] as number[],
      emptyUp: [] as number[],
      emptyPreview: [] as number[],
    };
    for (let run = 1; run <= RUNS; run++) {
      say(`an update that changes nothing: run ${run} of ${RUNS}`);
      times.up.push((await up(platform.stack)).seconds);
      times.emptyUp.push((await up(platform.empty)).seconds);
      times.preview.push((await preview(platform.stack)).seconds);
      times.emptyPreview.push((await preview(platform.empty)).seconds);
    }
    const pair = (ours: readonly number[], empty: readonly number[]) => {
      const [a, b] = [median(ours), median(empty)];
      return { ratio: a / b, words: `${seconds(a)} against ${seconds(b)}` };
    };
    const [update, look] = [pair(times.up, times.emptyUp), pair(times.preview, times.emptyPreview)];
    return {
      title: "Updates that change nothing, against an empty program",
      figures: [
        atMost("(c) `pulumi up` without a change", update.ratio, 1.3, update.words),
        atMost("(c) `pulumi preview` without a change", look.ratio, 1.3, look.words),
      ],
      notes: [`Medians of ${RUNS} runs each, taken in turn; a database password and an Alpaca pair, the same SDK.`],
    };
  } finally {
    await platform.stop();
  }
}

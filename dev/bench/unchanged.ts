import { type Figure, median, type Outcome, seconds } from "./figures";
import { Platform, preview, RUNS, up } from "./platform";

const DATABASES = [
  { name: "trader", role: "trader", secretName: "database/password" },
  {
    name: "risk",
    role: "risk",
    secretName: "risk/password",
    vault: { login: "vault_admin", creds: "database/static-creds/risk" },
  },
];
const SERVICES = [
  { name: "signal-service", database: "database/password" },
  { name: "orchestrator", database: "database/password", alpaca: true },
  { name: "risk-service", database: "risk/password" },
];

/** How much longer than a floor program an update or a preview without a change may take. */
const MOST = 1.1;

/** (c) an update and a preview that change nothing, against a floor program's, and an empty one's. */
export async function unchangedBench(say: (text: string) => void): Promise<Outcome> {
  const platform = await Platform.start(
    { databases: DATABASES, services: SERVICES },
    { rotates: "both", strategies: { "risk/password": "vault-static" } },
    ["command", "random", "postgresql", "vault"],
  );
  try {
    const stacks = [platform.stack, platform.floor, platform.empty];
    const seen = stacks.map(() => ({ up: [] as number[], preview: [] as number[] }));
    for (const stack of stacks) await up(stack);
    for (let run = 1; run <= RUNS; run++) {
      say(`an update that changes nothing: run ${run} of ${RUNS}`);
      for (const [index, stack] of stacks.entries()) {
        seen[index]?.up.push((await up(stack)).seconds);
        seen[index]?.preview.push((await preview(stack)).seconds);
      }
    }
    const compared = (what: string, times: readonly (readonly number[])[]): Figure => {
      const [ours = 0, floor = 0, empty = 0] = times.map(median);
      const ratio = ours / floor;
      const measured = `${ratio.toFixed(2)} (${seconds(ours)} against ${seconds(floor)}; an empty program's ${seconds(empty)})`;
      return { what, measured, target: `<= ${MOST}`, met: ratio <= MOST };
    };
    return {
      title: "Updates that change nothing, against a program with the same four plugins",
      figures: [
        compared(
          "(c) `pulumi up` without a change",
          seen.map((one) => one.up),
        ),
        compared(
          "(c) `pulumi preview` without a change",
          seen.map((one) => one.preview),
        ),
      ],
      notes: [
        `Medians of ${RUNS} runs each, taken in turn: a database password, one that Vault rotates, and an Alpaca pair.`,
        "The floor program has one resource of each plugin, and the same SDK.",
      ],
    };
  } finally {
    await platform.stop();
  }
}

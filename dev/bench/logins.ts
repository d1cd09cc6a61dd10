import { startLoad } from "../lab/load";
import type { Outcome } from "./figures";
import { Platform, up } from "./platform";

/** New logins a second. */
const WANTED = 200;

/** (e) new logins all the time, through rotations and their rollbacks, with alternating users. */
export async function loginsBench(say: (text: string) => void, rounds: number): Promise<Outcome> {
  // A rollback postpones the next rotation by age; the calendar moves further than that in every round.
  const platform = await Platform.start({});
  try {
    const { lab, stack } = platform;
    await up(stack);
    const sum = { tried: 0, failed: 0, seconds: 0 };
    for (let round = 1; round <= rounds; round++) {
      say(`${WANTED} logins a second: rotation and rollback ${round} of ${rounds}`);
      // A load is bounded in time, so each round has its own.
      const load = await startLoad(lab, { loginsPerSecond: WANTED, limitSeconds: 900 });
      const started = performance.now();
      const before = (await lab.openbao.getSecret(`${lab.environment}/database/username`))?.data.value;
      await platform.becomeDue();
      await up(stack);
      const generation = await generationBefore(platform);
      await stack.configure("request", {
        id: `bench-${round}`,
        secret: "database/password",
        activate: generation,
        reason: "the benchmark goes back",
      });
      await up(stack);
      const after = (await lab.openbao.getSecret(`${lab.environment}/database/username`))?.data.value;
      if (after !== before) throw new Error(`expected ${before} to be in use after the rollback, found ${after}`);
      const { logins } = await load.stop();
      sum.tried += logins.tried;
      sum.failed += logins.failed;
      sum.seconds += (performance.now() - started) / 1000;
    }
    const rate = sum.tried / sum.seconds;
    return {
      title: "Logins all the while",
      figures: [
        {
          what: `(e) failed logins through ${rounds} rotations and ${rounds} rollbacks`,
          measured: `${sum.failed} of ${sum.tried}`,
          target: "0",
          met: sum.failed === 0,
        },
        {
          what: "(e) new logins a second all the while",
          measured: String(Math.round(rate)),
          target: `${WANTED}`,
          // A load of 200 makes a few less while a service restarts.
          met: rate >= 0.95 * WANTED,
        },
      ],
      notes: [
        "Every login is a new connection of a service with what it holds at that moment; alternating users.",
        "A login costs 15 ms of processor (SCRAM on both sides), and updates run beside them: two cores make fewer than 200.",
      ],
    };
  } finally {
    await platform.stop();
  }
}

/** The generation that a rollback returns to, as the stack's outputs have it. */
async function generationBefore({ stack }: Platform): Promise<number> {
  const { stdout } = await stack.pulumi(["stack", "output", "secrets", "--json"]);
  const secrets = JSON.parse(stdout) as Record<string, { previous?: { generation: number } }>;
  const generation = secrets["database/password"]?.previous?.generation;
  if (generation === undefined) throw new Error("expected a generation to go back to, found none");
  return generation;
}

import { hasOpenSsh } from "../lab/openssh";
import { type Figure, growthExponent, type Outcome, seconds } from "./figures";
import { Platform, up } from "./platform";

/** So many at once, after a canary. */
const AT_ONCE = 10;

/** What a service on 100 hosts may take in batches. */
const MOST_SECONDS = 25;

const SERVICE = "signal-service";

interface Measured {
  readonly hosts: number;
  /** One host after the other. */
  readonly each: number;
  /** In batches; undefined if there are too few hosts for two of them. */
  readonly batches: number | undefined;
}

/** (d) one service on many hosts, which are restarted one after the other, and in batches. */
export async function hostsBench(say: (text: string) => void, sizes: readonly number[]): Promise<Outcome> {
  const measured: Measured[] = [];
  for (const hosts of sizes) measured.push(await measure(say, hosts));
  const growth = measured.map(({ hosts, each }) => ({ x: hosts, y: each }));
  const exponent = sizes.length < 2 ? undefined : growthExponent(growth);
  return {
    title: "One service on many hosts",
    figures: [
      ...measured.flatMap(({ hosts, each, batches }): Figure[] => [
        { what: `${hosts} host${hosts === 1 ? "" : "s"}`, measured: `rotation ${seconds(each)}` },
        ...(batches === undefined
          ? []
          : [
              {
                what: `${hosts} hosts, a canary and then ${AT_ONCE} at once`,
                measured: `rotation ${seconds(batches)}`,
                ...(hosts === 100 ? { target: `<= ${MOST_SECONDS} s`, met: batches <= MOST_SECONDS } : {}),
              },
            ]),
      ]),
      ...(exponent === undefined
        ? []
        : [{ what: "growth, exponent", measured: exponent.toFixed(2), target: "<= 1.1", met: exponent <= 1.1 }]),
    ],
    notes: [
      "One host after the other behind its health gate, one update each, unless the row says more.",
      `Each host has ${hasOpenSsh ? "OpenSSH's server" : "the lab's SSH server"} on a loopback address of its own. ` +
        `Batches run with \`--parallel ${2 * AT_ONCE}\`; all services share this machine's cores.`,
    ],
  };
}

async function measure(say: (text: string) => void, count: number): Promise<Measured> {
  say(`${count} hosts: starting them`);
  const hosts = Array.from({ length: count }, (_, index) => `trading-${index + 1}`);
  const services = [{ name: SERVICE, database: "database/password", hosts, quiet: true }];
  const platform = await Platform.start({ hosts, services, openSsh: hasOpenSsh });
  const rollOut = async (rollout: object | undefined) => {
    const { [SERVICE]: service } = platform.lab.config.services;
    await platform.stack.configure("services", { [SERVICE]: { ...service, ...(rollout && { rollout }) } });
  };
  const rotate = async () => {
    await platform.becomeDue();
    return (await up(platform.stack, ["--parallel", String(2 * AT_ONCE)])).seconds;
  };
  const hasBatches = count > AT_ONCE;
  try {
    const inBatches = { maxUnavailable: AT_ONCE, canary: 1 };
    if (hasBatches) await rollOut(inBatches);
    await up(platform.stack);
    say(`${count} hosts: rotation`);
    const batches = hasBatches ? await rotate() : undefined;
    await rollOut(undefined);
    return { hosts: count, batches, each: await rotate() };
  } finally {
    await platform.stop();
  }
}

import { type Figure, growthExponent, type Outcome, seconds } from "./figures";
import { Platform, up } from "./platform";

/** (d) one service on many hosts, which are restarted one after the other. */
export async function hostsBench(say: (text: string) => void, sizes: readonly number[]): Promise<Outcome> {
  const measured: { readonly x: number; readonly y: number }[] = [];
  for (const count of sizes) {
    say(`${count} hosts: starting them`);
    const hosts = Array.from({ length: count }, (_, index) => `trading-${index + 1}`);
    const services = [{ name: "signal-service", database: "database/password", hosts, quiet: true }];
    const platform = await Platform.start({ hosts, services });
    try {
      await up(platform.stack);
      await platform.becomeDue();
      say(`${count} hosts: rotation`);
      measured.push({ x: count, y: (await up(platform.stack)).seconds });
    } finally {
      await platform.stop();
    }
  }
  const exponent = sizes.length < 2 ? undefined : growthExponent(measured);
  return {
    title: "One service on many hosts",
    figures: [
      ...measured.map(
        ({ x, y }): Figure => ({ what: `${x} host${x === 1 ? "" : "s"}`, measured: `rotation ${seconds(y)}` }),
      ),
      ...(exponent === undefined
        ? []
        : [{ what: "growth, exponent", measured: exponent.toFixed(2), target: "<= 1.1", met: exponent <= 1.1 }]),
    ],
    notes: ["One host after the other behind its health gate, one update each."],
  };
}

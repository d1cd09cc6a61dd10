import { appendFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { environmentSecrets } from "../clients/environment-secrets";
import { socketOf } from "../clients/vault-session";
import { PROBES_FILE, type ProbeFigures } from "../core/probes";
import { redactIn } from "../core/redact";
import { probedSecret, probeOrder } from "../kinds/probes/order";
import { Prober } from "../kinds/probes/prober";
import type { probeSaid } from "../kinds/probes/said";

/** Nothing probes longer than this, in milliseconds, whatever became of the update. */
const LONGEST = 4 * 3_600_000;

let prober: Prober | undefined;

/** What the program is told: too many logins of a secret have failed. */
const say = (said: z.output<typeof probeSaid>) => process.stdout.write(`${JSON.stringify(said)}\n`);

const clean = <T>(value: T): T => redactIn(value, environmentSecrets(process.env)) as T;

function begin(order: z.output<typeof probeOrder>): Prober {
  const file = process.env[PROBES_FILE];
  const begun = new Prober(order, {
    seen: (secret, figures) => {
      if (file !== undefined) append(file, { secret, figures: clean(figures) });
    },
    tooMany: (secret, figures) => say({ secret, stop: clean(stopWords(secret, figures, order.threshold)) }),
  });
  listen(begun, socketOf(order.session));
  return begun;
}

/** The reader's folder is gone when its run is over. */
function append(file: string, line: object): void {
  try {
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads it any more.
  }
}

function stopWords(secret: string, { logins, failures = [] }: ProbeFigures, threshold: number): string {
  const [first] = failures;
  const how = first === undefined ? "" : ` The first: ${first.way}: ${first.words}.`;
  return (
    `${secret}: ${logins.failed} of ${logins.tried} logins of the probes failed, expected at most ${threshold} ` +
    `(probe.threshold): the rollout stops.${how} Services that were not restarted yet hold the previous credential. Find ` +
    "the cause and run this again, which continues here; or roll back."
  );
}

/** The audit row's step asks for what was seen of its secret; that ends the secret's probes. */
function listen(begun: Prober, socket: string): void {
  rmSync(socket, { force: true });
  process.on("exit", () => rmSync(socket, { force: true }));
  createServer((client) => {
    client.on("error", () => undefined);
    createInterface({ input: client }).once("line", (line) => {
      const { secret } = JSON.parse(line) as { readonly secret: string };
      void (begun.settle(secret) ?? Promise.resolve(null)).then((figures) =>
        client.end(JSON.stringify(clean(figures))),
      );
    });
  }).listen(socket);
}

// The program decides when it is over: a signal to everything that it started is no end yet.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("SIGTERM", () => process.exit());
process.stdout.on("error", () => process.exit());
setTimeout(() => process.exit(), LONGEST);
// Standard input ends with the program, however that ended.
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const told: unknown = JSON.parse(line);
    if (prober === undefined) prober = begin(probeOrder.parse(told));
    else prober.add(probedSecret.parse(told));
  })
  .on("close", () => process.exit());

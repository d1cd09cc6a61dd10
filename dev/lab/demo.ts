import { Command, Option } from "commander";
import { messageOf } from "../../core/errors";
import { resolveToolchain, type Toolchain } from "../toolchain/resolve";
import { accessLines, accessOf } from "./access";
import { DEMO_DATABASES } from "./demo/platform";
import { readablePreview } from "./demo/preview";
import { auditTable, heading, phaseLines, summaryTable } from "./demo/report";
import { Scenario, type Seen } from "./demo/scenario";
import { expectSignal } from "./guard";
import { ALPACA_KEY } from "./lab";
import { failureCounts } from "./load";
import { writeEnvFile } from "./shell";

interface Options {
  readonly json: boolean;
  readonly keep: boolean;
  /** Where the services read their secrets. */
  readonly store: "vault" | "aws";
}

const say = (text: string) => process.stdout.write(`${text}\n`);

/** Prints what is being done, then how long it took. */
async function step<T>(text: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  process.stdout.write(`${text} ... `);
  const result = await work();
  say(`${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

async function demo({ json, keep, store }: Options): Promise<void> {
  say(heading("Tools"));
  const tools = await resolveToolchain({
    need: ["pulumi", "openbao", ...(store === "aws" ? (["moto"] as const) : [])],
    onProgress: say,
  });
  const plugins = Object.fromEntries(Object.entries(tools.plugins).map(([name, { kind }]) => [name, kind]));
  say(
    `pulumi ${tools.pulumi.version} (${tools.pulumi.source}); plugins: ${Object.entries(plugins)
      .map(([name, kind]) => `${name} ${kind}`)
      .join(", ")}`,
  );

  const backend = store === "aws" ? "an emulator of AWS Secrets Manager" : "OpenBao";
  say(heading(`A platform: PostgreSQL, ${backend}, Alpaca, a host with five services`));
  const scenario = await step("starting it", () => Scenario.start(tools, store));
  try {
    const { rotations, rollbacks } = await play(scenario);
    const { rows, verdict } = await scenario.audit();
    say(heading("The audit log"));
    say(auditTable(rows));
    say(
      verdict.valid
        ? `the chain of ${rows.length} rows is valid`
        : `the chain is BROKEN: ${verdict.problems.map(({ message }) => message).join("; ")}`,
    );
    assertPromises([...rotations, ...rollbacks], verdict.valid);
    if (json) say(JSON.stringify(machineReadable(store, rotations, rollbacks, rows.length, verdict.valid, plugins)));
    if (keep) await keepRunning(scenario, tools);
  } finally {
    await scenario.lab.stop();
  }
}

async function play(scenario: Scenario): Promise<{ rotations: Seen[]; rollbacks: Seen[] }> {
  const secrets = [...DEMO_DATABASES.map(({ secretName }) => secretName), ALPACA_KEY];
  say(heading("Day 0: the paper stack adopts the passwords and keys in use, and rotates away from the passwords"));
  await step("pulumi up", () => scenario.up());

  say(heading("Day 89: with a new key pair from Alpaca's dashboard, what a reviewer sees (pulumi preview --diff)"));
  await scenario.passDays(89);
  await scenario.supplyKey("paper-trading-2027-02-20");
  say(readablePreview(await scenario.preview()));

  say(heading("Day 89: the rotation, while the services log in and query Alpaca all the time"));
  const rotations = await step("pulumi up", () => scenario.watchedUp(secrets));
  say(phaseLines(rotations));

  say(heading("The rollback: the previous generation is active again, by a request in the config"));
  const rollbacks: Seen[] = [];
  for (const { secret, from } of rotations) {
    await scenario.request(secret, from, "the demo shows a rollback");
    rollbacks.push(
      ...(await step(`pulumi up (${secret} back to generation ${from})`, () => scenario.watchedUp([secret]))),
    );
  }

  say(
    heading(
      "A day later: the new pair is deleted on the dashboard, which the update confirms; the other login is revoked",
    ),
  );
  await scenario.passDays(90.1);
  scenario.deleteNewKey();
  await step("pulumi up (REVOKE)", () => scenario.up());

  say(heading("What happened"));
  say(
    summaryTable([
      ...rotations.map((seen) => ({ action: "rotate", ...seen })),
      ...rollbacks.map((seen) => ({ action: "roll back", ...seen })),
    ]),
  );
  return { rotations, rollbacks };
}

/** What the demo promises; a broken promise is an error, not a table. */
function assertPromises(seen: readonly Seen[], chainValid: boolean): void {
  const broken = seen.flatMap(({ secret, strategy, logins, outside }) => [
    ...(strategy !== "single-user" && logins.failed > 0
      ? [`${secret}: ${logins.failed} logins failed, expected none: ${failureCounts(logins.failures)}`]
      : []),
    ...(outside > 0
      ? [`${secret}: ${outside} logins failed outside the window between ALTER ROLE and the last restart`]
      : []),
  ]);
  if (!chainValid) broken.push("the audit log's chain is broken");
  if (broken.length > 0) throw new Error(broken.join("\n"));
}

function machineReadable(
  store: Options["store"],
  rotations: readonly Seen[],
  rollbacks: readonly Seen[],
  rows: number,
  valid: boolean,
  plugins: Record<string, string>,
) {
  const counts = ({ logins: { tried, failed } }: Seen) => ({ tried, failed });
  return {
    rotations: rotations.map((seen) => {
      const { secret, strategy, from, to, seconds, exposureSeconds } = seen;
      return { secret, strategy, store, from, to, seconds, exposureSeconds, logins: counts(seen) };
    }),
    rollbacks: rollbacks.map((seen) => ({ secret: seen.secret, seconds: seen.seconds, logins: counts(seen) })),
    audit: { rows, chain: valid ? "valid" : "broken" },
    plugins,
  };
}

/** Says how to reach everything, and waits for a signal, which removes everything. */
async function keepRunning(scenario: Scenario, tools: Toolchain): Promise<never> {
  expectSignal();
  const access = accessOf(scenario, await writeEnvFile(scenario.lab, scenario.stack, tools));
  say(heading("The lab keeps running"));
  say(accessLines(access).join("\n"));
  return new Promise(() => undefined);
}

const program = new Command("demo")
  .description(
    "Brings up a real platform on this machine, rotates its passwords under load, rolls back, and shows the proof.",
  )
  .option("--json", "print the figures as one JSON object on the last line", false)
  .addOption(
    new Option("--store <kind>", "where the services read their secrets").choices(["vault", "aws"]).default("vault"),
  )
  .option("--keep", "leave the platform running afterwards and say how to reach it", false)
  .addHelpText("after", "\nExample:\n  npm run demo -- --json | tail -n 1 | jq .rotations");

program.action(demo);
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`\n${messageOf(error)}\n`);
  process.exitCode = 1;
});

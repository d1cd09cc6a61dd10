import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../../cli/toolchain/project";
import { parseDuration } from "../../core/duration";
import { roleChanges } from "../lab/role-changes";
import { atMost, median, type Outcome, seconds } from "./figures";
import { Platform, RUNS, up } from "./platform";
import type { RunbookInput } from "./runbook";

const DATABASES = [
  { name: "trader", role: "trader", secretName: "database/password" },
  { name: "byhand", role: "byhand", secretName: "byhand/password" },
];
/** Two services each, as the runbook's part A has them. */
const SERVICES = [
  { name: "signal-service", database: "database/password" },
  { name: "orchestrator", database: "database/password" },
  { name: "report-service", database: "byhand/password" },
  { name: "ledger-service", database: "byhand/password" },
];

interface Measured {
  readonly seconds: number;
  /** From the server's own note of the change to the last service that read the new password. */
  readonly exposure: number;
}

/** (a) the window without logins and (b) a whole rotation, against the runbook as a script, a floor program and an empty one. */
export async function rotationBench(say: (text: string) => void): Promise<Outcome> {
  const platform = await Platform.start(
    { databases: DATABASES, services: SERVICES },
    {
      strategies: { "database/password": "single-user", "byhand/password": "single-user" },
      only: ["database/password"],
    },
    ["command", "random"],
  );
  try {
    await up(platform.stack);
    await up(platform.floor);
    await up(platform.empty);
    const [ours, script]: [Measured[], Measured[]] = [[], []];
    const [floor, empty]: [number[], number[]] = [[], []];
    for (let run = 1; run <= RUNS; run++) {
      say(`rotation, script and empty program: run ${run} of ${RUNS}`);
      await platform.becomeDue();
      ours.push(await measured(platform, "database/password", async () => (await up(platform.stack)).seconds));
      script.push(await measured(platform, "byhand/password", () => runScript(platform)));
      floor.push((await up(platform.floor)).seconds);
      empty.push((await up(platform.empty)).seconds);
    }
    return outcome(ours, script, { floor: median(floor), empty: median(empty) });
  } finally {
    await platform.stop();
  }
}

function outcome(
  ours: readonly Measured[],
  script: readonly Measured[],
  { floor, empty }: { readonly floor: number; readonly empty: number },
): Outcome {
  const middle = (of: readonly Measured[], key: keyof Measured) => median(of.map((one) => one[key]));
  const [exposure, theirs] = [middle(ours, "exposure"), middle(script, "exposure")];
  const [whole, byScript] = [middle(ours, "seconds"), middle(script, "seconds")];
  const most = 1.3 * floor + 1.2 * byScript;
  return {
    title: "Rotation against the runbook as a script",
    figures: [
      atMost(
        "(a) single-user: window without new logins, against the script's",
        exposure / theirs,
        1,
        `${seconds(exposure)} against ${seconds(theirs)}`,
      ),
      {
        what: "(b) a whole rotation by `pulumi up`",
        measured: `${seconds(whole)}; the script ${seconds(byScript)}, the floor program's up ${seconds(floor)}, an empty program's ${seconds(empty)}`,
        target: `<= 1.3 x floor + 1.2 x script = ${seconds(most)}`,
        met: whole <= most,
      },
    ],
    notes: [
      `Medians of ${RUNS} runs each, taken in turn, two services. The floor program has one resource of each plugin that ours uses.`,
      "The script does the runbook's part A without preflight, read-back, second login or hash chain, and polls where the runbook sleeps.",
    ],
  };
}

/** The window of one rotation: both ways are measured by the server's log and by what the services say of themselves. */
async function measured(platform: Platform, secret: string, rotate: () => Promise<number>): Promise<Measured> {
  const since = Date.now();
  const took = await rotate();
  const { lab } = platform;
  const role = DATABASES.find(({ secretName }) => secretName === secret)?.role ?? "";
  const changes = await roleChanges(lab, role, since - 1);
  const loaded = await Promise.all(
    lab.readers(secret).map(async (name) => Date.parse((await lab.health(name)).database?.loaded_at ?? "")),
  );
  const exposure = (Math.max(...loaded) - Math.min(...changes)) / 1000;
  if (!(exposure > 0))
    throw new Error(`${secret}: expected a change of the role and services that read it, found ${exposure}`);
  return { seconds: took, exposure };
}

async function runScript({ lab }: Platform): Promise<number> {
  const { postgres, openbao, environment } = lab;
  const hostConfig = lab.config.hosts["trading-1"];
  if (hostConfig === undefined) throw new Error("the lab has no host trading-1");
  const service = (name: string) => {
    const config = lab.config.services[name];
    if (config === undefined) throw new Error(`the lab has no service ${name}`);
    return { name, config: { ...config, timeout: parseDuration("60s") } };
  };
  const input: RunbookInput = {
    database: { host: postgres.host, port: postgres.port, database: "byhand" },
    admin: { user: postgres.adminUser, password: postgres.adminPassword },
    role: "byhand",
    vault: {
      address: openbao.address,
      token: openbao.rootToken,
      path: `${openbao.mount}/data/${environment}/byhand/password`,
    },
    host: hostConfig,
    privateKey: lab.config.sshPrivateKey,
    services: lab.readers("byhand/password").map(service),
  };
  const started = performance.now();
  const program = join(projectRoot(), "dist", "dev", "bench", "runbook.mjs");
  await execa(process.execPath, [program], { input: JSON.stringify(input) });
  return (performance.now() - started) / 1000;
}

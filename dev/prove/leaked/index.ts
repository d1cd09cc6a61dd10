import { type DeployOptions, deployStack } from "../../lab/deploy";
import { type LabOptions, startLab } from "../../lab/lab";
import { PIPELINE } from "../../lab/pipeline-login";
import type { LabDatabase } from "../../lab/platform";
import { resolveToolchain } from "../../toolchain/resolve";
import type { Proof } from "../proof";
import type { Origin } from "./life";
import { LeakLife } from "./life";
import { DYNAMIC, SLOTS, STATIC } from "./origins";
import { leakPair } from "./pairs";
import { DECOYS } from "./planted";

interface Cell {
  readonly name: string;
  readonly origin: Origin;
  readonly lab?: Pick<LabOptions, "databases" | "services">;
  readonly deploy: Omit<DeployOptions, "lab" | "tools">;
  /** What must be said of the database's logins, in order. */
  readonly expected: readonly string[];
}

const SECRET = "database/password";
const PAIR = "paper-trading-2027-02-20";

const byVault = (vault: LabDatabase["vault"]): LabDatabase => ({
  ...{ name: "trader", role: "trader", secretName: SECRET, vault },
});

const CELLS: readonly Cell[] = [
  {
    name: "alternating-users, and alpaca-key",
    origin: SLOTS,
    deploy: { rotates: "both", strategies: { [SECRET]: "alternating-users" } },
    expected: ["0 password: refused", "1 password: refused", "2 password: works", "3 password: works"],
  },
  {
    name: "single-user",
    origin: SLOTS,
    deploy: { strategies: { [SECRET]: "single-user" } },
    expected: ["0 password: refused", "1 password: refused", "2 password: refused", "3 password: works"],
  },
  {
    name: "vault-static",
    origin: STATIC,
    lab: { databases: [byVault({ login: "vault_admin", creds: "database/static-creds/trader" })] },
    deploy: { strategies: { [SECRET]: "vault-static" }, adopt: false, config: { lab: {} } },
    // The last one no update has seen.
    expected: ["1 password: refused", "2 password: refused", "3 password: refused", "3 password: works"],
  },
  {
    name: "vault-dynamic",
    origin: DYNAMIC,
    lab: {
      databases: [byVault({ login: "vault_trader" })],
      services: ["signal-service", "orchestrator"].map((name) => ({
        ...{ name, database: SECRET },
        lease: { path: `database/creds/${name}-trader`, policy: `paper-database-password-${name}` },
      })),
    },
    deploy: {
      strategies: { [SECRET]: "vault-dynamic" },
      ...{ adopt: false, leases: { defaultTtl: "1h", maxTtl: "24h" }, config: { lab: {} } },
    },
    // A login that has ended is known by its name alone.
    expected: ["null login: refused", "2 login: works"],
  },
];

/** Plants each generation among decoys, and lets the one in use leak. */
export const prove: Proof = async (say) => {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const rows: string[] = [];
  const pairs: string[] = [];
  for (const { name, origin, lab: options, deploy, expected } of CELLS) {
    const lab = await startLab({ ...options, openbao: tools.openbao?.path ?? "" });
    try {
      const life = new LeakLife(lab, await deployStack({ lab, tools, ...deploy }), origin);
      await lab.postgres.query(`GRANT pg_signal_backend TO ${PIPELINE}`);
      await life.begin();
      say(`${name}: rotated`);
      rows.push(await proveCell(life, name, expected));
      say(rows.at(-1) ?? "");
      if (deploy.rotates === "both") pairs.push(await provePair(life));
    } finally {
      await lab.stop();
    }
  }
  return [
    "| Secrets | Planted | Verdicts | From found to refused and gone, restarts included | Sessions | What a dead one triggers |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    ...pairs,
  ].join("\n");
};

async function proveCell(life: LeakLife, name: string, expected: readonly string[]): Promise<string> {
  const { generations, lines, verdicts } = await life.verdicts();
  const logins = verdicts
    .filter((one) => one.startsWith(SECRET))
    .map((one) => one.slice(SECRET.length + 1))
    .sort();
  if (logins.join() !== [...expected].sort().join()) throw new Error(`${name}: wrong verdicts: ${verdicts.join(", ")}`);
  if (verdicts.length !== generations) throw new Error(`${name}: ${generations} planted, ${verdicts.length} found`);
  const dead = await life.respondToTheDead();
  if (dead !== 0) throw new Error(`${name}: a dead generation wrote ${dead} rows`);
  const { seconds, sessions, refused, sessionGone } = await life.respond();
  if (!refused || !sessionGone) throw new Error(`${name}: refused ${refused}, session gone ${sessionGone}`);
  if (seconds > 60) throw new Error(`${name}: ${seconds} s, expected at most 60`);
  return `| ${name} | ${generations} among ${DECOYS} decoys, ${lines} lines | ${verdicts.length} of ${generations} right, no decoy taken for one | ${seconds} s | ${sessions} | nothing |`;
}

async function provePair(life: LeakLife): Promise<string> {
  const { first, seconds, next, verdicts, rows } = await leakPair(life, PAIR);
  if (!/rotation alpaca add-key/.test(first)) throw new Error(`without a new pair it says: ${first}`);
  if (!/dashboard/.test(next)) throw new Error(`with a new pair it says: ${next}`);
  if (verdicts.join() !== "works,works,refused,refused")
    throw new Error(`wrong verdicts of a pair: ${verdicts.join()}`);
  if (!rows.includes("LEAK FAILED")) throw new Error(`wrong rows of a pair: ${rows.join(", ")}`);
  return [
    `A pair of Alpaca: without a new pair nothing is rotated, and the answer names \`rotation alpaca add-key\`; with one, services use`,
    `it ${seconds} s after the finding, the answer names what the operator must delete on the dashboard, and the old pair is refused once`,
    `that is done. Rows: ${rows.join(", ")}.`,
  ].join("\n");
}

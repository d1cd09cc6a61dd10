import { deployStack } from "../../lab/deploy";
import { startLab } from "../../lab/lab";
import { PIPELINE } from "../../lab/pipeline-login";
import { resolveToolchain } from "../../toolchain/resolve";
import type { Proof } from "../proof";
import { LeakLife } from "./life";
import { DECOYS } from "./planted";

const CELLS = [
  { name: "alternating-users and alpaca-key", strategy: "alternating-users", rotates: "both" },
  { name: "single-user", strategy: "single-user", rotates: "passwords" },
] as const;

/** What must be said of each generation after two rotations. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  "alternating-users": ["0 password: refused", "1 password: refused", "2 password: works", "3 password: works"],
  "single-user": ["0 password: refused", "1 password: refused", "2 password: refused", "3 password: works"],
};

/** Plants each generation among decoys, and lets the one in use leak. */
export const prove: Proof = async (say) => {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const rows: string[] = [];
  for (const { name, strategy, rotates } of CELLS) {
    const lab = await startLab({ openbao: tools.openbao?.path ?? "" });
    try {
      const stack = await deployStack({ lab, tools, rotates, strategies: { "database/password": strategy } });
      await lab.postgres.query(`GRANT pg_signal_backend TO ${PIPELINE}`);
      const life = new LeakLife(lab, stack);
      await life.begin();
      say(`${name}: two rotations done`);
      const { generations, lines, verdicts } = await life.verdicts();
      const passwords = verdicts
        .filter((one) => one.startsWith("database/password"))
        .map((one) => one.slice("database/password ".length));
      if (passwords.join() !== EXPECTED[strategy]?.join())
        throw new Error(`${name}: wrong verdicts: ${verdicts.join(", ")}`);
      if (verdicts.length !== generations) throw new Error(`${name}: ${generations} planted, ${verdicts.length} found`);
      const dead = await life.respondToTheDead();
      if (dead !== 0) throw new Error(`${name}: a dead generation wrote ${dead} rows`);
      const { seconds, sessions, refused, sessionGone } = await life.respond();
      if (!refused || !sessionGone) throw new Error(`${name}: refused ${refused}, session gone ${sessionGone}`);
      say(`${name}: ${seconds} s`);
      rows.push(
        `| ${name} | ${generations} among ${DECOYS} decoys, ${lines} lines | ${verdicts.length} of ${generations} right, no decoy taken for one | ${seconds} s | ${sessions} | nothing |`,
      );
    } finally {
      await lab.stop();
    }
  }
  return [
    "| Secrets | Planted | Verdicts | From found to refused and gone, restarts included | Sessions | What a dead one triggers |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
};

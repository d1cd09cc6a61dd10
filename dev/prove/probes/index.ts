import type { DeployOptions } from "../../lab/deploy";
import { startLab } from "../../lab/lab";
import { DEFAULT_SERVICES } from "../../lab/platform";
import { resolveToolchain } from "../../toolchain/resolve";
import type { Proof } from "../proof";
import { ProbeLife } from "./life";

const RUNS = 50;
const THRESHOLD = 20;

/** Moments of a rotation at which connections are cut: when the engine begins with one of these. */
const MOMENTS = [
  "database-password-verify-login",
  "database-password-store-write",
  "database-password-restart-signal-service",
] as const;

/** Rotates again and again while a proxy cuts so many connections at known moments, and compares the rows. */
export const prove: Proof = async (say) => {
  const tools = await resolveToolchain({ need: ["pulumi", "openbao"] });
  const single = await during({ tools, strategies: { "database/password": "single-user" } }, singleUser);
  say(`single-user: ${JSON.stringify(single)}`);
  const { seen, back } = await during({ tools }, async (life) => ({
    seen: await counts(life, say),
    back: await rollsBack(life),
  }));
  return [
    "| Rotations | Connections cut | Rows that say exactly so many | Rotations with none cut that report one | Logins of the probes | Longest gap |",
    "| --- | --- | --- | --- | --- | --- |",
    `| ${RUNS} | ${seen.cut} | ${seen.right} of ${RUNS} | 0 of ${seen.without} | ${seen.tried.toLocaleString("en-US")} | ${seen.gap} ms |`,
    "",
    `With ${back.cut} cut (\`probe.threshold: ${THRESHOLD}\`) \`rotation run --auto-rollback\` was back on generation ${back.generation} after ` +
      `${back.seconds} s: FAILED row with ${back.failed} failed logins, then the row of the rollback.`,
    "",
    `As \`single-user\`: ${single.failed} of ${single.tried} logins failed, and ${single.refused} were refused in the known window.`,
  ].join("\n");
};

async function during<T>(deploy: Omit<DeployOptions, "lab">, use: (life: ProbeLife) => Promise<T>): Promise<T> {
  const services = DEFAULT_SERVICES.filter(({ database }) => database !== undefined);
  const lab = await startLab({ openbao: deploy.tools.openbao?.path ?? "", services });
  try {
    const life = await ProbeLife.begin(lab, deploy, { rate: "20/s", threshold: THRESHOLD });
    try {
      const first = await life.up();
      if (first.exitCode !== 0) throw new Error(`pulumi up failed: ${first.stdout}${first.stderr}`);
      return await use(life);
    } finally {
      await life.end();
    }
  } finally {
    await lab.stop();
  }
}

async function counts(life: ProbeLife, say: Parameters<Proof>[0]) {
  const seen = { right: 0, cut: 0, tried: 0, without: 0, gap: 0 };
  for (let run = 1; run <= RUNS; run += 1) {
    // 0 to 4 at each moment; every fifth rotation is left alone.
    const each = MOMENTS.map((_, moment) => (run % 5 === 0 ? 0 : (run * 7 + moment * 3) % 5));
    const ended = await life.rotate(`run-${run}`, cutAt(life, each));
    const dropped = life.dropped();
    const [row] = await life.rows(1);
    const expected = each.reduce((sum, count) => sum + count, 0);
    if (ended.exitCode !== 0) throw new Error(`run ${run}: ${ended.stdout}${ended.stderr}`);
    if (dropped !== expected) throw new Error(`run ${run}: ${expected} were to be cut, ${dropped} were`);
    const { logins, longestGapMs = 0 } = row?.probes ?? {};
    if (logins?.failed !== expected)
      throw new Error(`run ${run}: ${expected} cut, the row says ${JSON.stringify(row)}`);
    seen.right += 1;
    seen.cut += expected;
    seen.tried += logins.tried;
    seen.without += expected === 0 ? 1 : 0;
    seen.gap = Math.max(seen.gap, longestGapMs);
    say(`run ${run}: ${expected} of ${logins.tried}, ${Math.round(ended.seconds)} s`);
  }
  return seen;
}

/** Cuts each count at its moment, once. */
function cutAt(life: ProbeLife, counts: readonly number[]): (text: string) => void {
  const left = new Map(MOMENTS.entries());
  return (text) => {
    for (const [moment, resource] of left) {
      if (!text.includes(resource)) continue;
      left.delete(moment);
      const count = counts[moment] ?? 0;
      if (count > 0) life.drop(count);
    }
  };
}

/** A role with one password: what it refuses meanwhile belongs to the rotation. */
async function singleUser(life: ProbeLife) {
  const { exitCode, result } = await life.run([]);
  if (exitCode !== 0) throw new Error(`expected a rotation, found ${JSON.stringify(result)}`);
  const [row] = await life.rows(1);
  const { logins, exposure } = row?.probes ?? {};
  if (logins?.failed !== 0 || exposure === undefined)
    throw new Error(`expected refusals in the known window alone, found ${JSON.stringify(row)}`);
  return { ...logins, ...exposure };
}

async function rollsBack(life: ProbeLife) {
  const [before] = await life.rows(1);
  const { result } = await life.run(["--auto-rollback"], (line) => {
    if (line.type === "phase" && line.phase === "store") life.drop(THRESHOLD + 10);
  });
  const cut = life.dropped();
  const [back, failed] = await life.rows(2);
  if (result?.outcome !== "rolled back") throw new Error(`expected a rollback, found ${JSON.stringify(result)}`);
  if (back?.action !== "ROLLBACK" || back.generation !== before?.generation)
    throw new Error(
      `expected the row of the rollback to generation ${before?.generation}, found ${JSON.stringify(back)}`,
    );
  const count = failed?.probes?.logins.failed ?? 0;
  if (failed?.status !== "FAILED" || count <= THRESHOLD)
    throw new Error(`expected a FAILED row with more than ${THRESHOLD}, found ${JSON.stringify(failed)}`);
  await life.lab.healthy();
  return { cut, failed: count, generation: back.generation, seconds: result.seconds };
}

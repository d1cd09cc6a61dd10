import type { Proof } from "../proof";
import { TAMPERINGS } from "./matrix";
import { startProofWorld } from "./servers";

/** Tampers in every way, and verifies each bundle with nothing but the public key; with an SSH key, and with a transit key. */
export const prove: Proof = async (say) => {
  const counts = new Map<string, { tried: number; found: number }>();
  const missed: string[] = [];
  const summaries: string[] = [];
  for (const sign of ["ssh", "vault-transit"] as const) {
    const { world, stop } = await startProofWorld(sign);
    try {
      const honest = await world.copy();
      const verdict = await honest.verify(await honest.bundle());
      if (!verdict.valid) throw new Error(`expected an intact bundle: ${JSON.stringify(verdict.problems)}`);
      summaries.push(
        `${sign}: ${verdict.rows} rows, ${verdict.anchors} anchors in ${Object.keys(honest.places).length} places, nothing found in the bundle that nobody touched`,
      );
      const foreign = await honest.verify(await honest.bundle(), world.others.verifier);
      if (foreign.valid) throw new Error("expected a bundle to be refused with another public key");
      for (const { name, by, tamper, found } of TAMPERINGS) {
        const one = await world.copy();
        const { valid, problems } = await one.verify(await tamper(one));
        const count = counts.get(by) ?? { tried: 0, found: 0 };
        const isFound = !valid && problems.some(({ message }) => found.test(message));
        counts.set(by, { tried: count.tried + 1, found: count.found + (isFound ? 1 : 0) });
        if (!isFound) missed.push(`${sign}: ${by} ${name}: ${JSON.stringify(problems)}`);
        say(`${isFound ? "found " : "MISSED"} ${sign}: ${by} ${name}`);
      }
    } finally {
      await stop();
    }
  }
  if (missed.length > 0) throw new Error(missed.join("\n"));
  const rows = [...counts].map(([by, { tried, found }]) => `| ${by} | ${tried} | ${found} |`);
  return ["| Who tampers | Ways tried | Found |", "| --- | --- | --- |", ...rows, "", `${summaries.join("; ")}.`].join(
    "\n",
  );
};

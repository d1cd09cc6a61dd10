// `npm run prove -- NAME`: runs the whole proof of a claim, and writes its figures into docs/proof.md.
import { spawnSync } from "node:child_process";

const PROOFS = {
  rehearsal: ["--project", "servers", "test/servers/rehearsal"],
};

const [name = "", ...rest] = process.argv.slice(2);
const proof = PROOFS[name];
if (proof === undefined) {
  console.error(`expected one of ${Object.keys(PROOFS).join(", ")}, found ${name || "nothing"}: npm run prove -- NAME`);
  process.exit(2);
}
const env = { ...process.env, PROOF: "1" };
const { status } = spawnSync("npx", ["vitest", "run", ...proof, ...rest], { stdio: "inherit", env });
process.exit(status ?? 1);

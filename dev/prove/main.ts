import { messageOf } from "../../core/errors";
import { writeSection } from "../bench/proof";
import { PROOFS } from ".";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(PROOFS, name));

try {
  if (names.length === 0 || unknown.length > 0)
    throw new Error(`expected ${Object.keys(PROOFS).join(", ")}, found ${unknown.join(", ") || "nothing"}`);
  for (const name of names) {
    const proof = await PROOFS[name]?.();
    const markdown = await proof?.prove((text) => void process.stderr.write(`${text}\n`));
    if (markdown === undefined) continue;
    process.stdout.write(`${markdown}\n`);
    await writeSection(
      `prove-${name}`,
      `${markdown}\n\nSeen on ${new Date().toISOString().slice(0, 10)} with Node.js ${process.version}.`,
    );
  }
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

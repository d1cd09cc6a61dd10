import { execa } from "execa";
import type { Proof } from "./proof";

/** Runs the tests of the rehearsal in full: they write their own figures into the page. */
export const prove: Proof = async () => {
  await execa("npx", ["vitest", "run", "--project", "servers", "test/servers/rehearsal"], {
    stdio: "inherit",
    env: { PROOF: "1" },
  });
  return undefined;
};

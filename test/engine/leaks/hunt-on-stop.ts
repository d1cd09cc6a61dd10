import { inject } from "vitest";
import type { Lab } from "../../../dev/lab/lab";
import type { PulumiResult, Stack } from "../../../dev/lab/stack";
import { type ProcessWatch, watchProcesses } from "../../unit/leaks/processes";
import { hunt } from "./hunt";
import { report } from "./report";

const EVERY_MS = 100;

/** One for all labs of this worker, and only while there is one: it looks at every process of the machine. */
let watch: ProcessWatch | undefined;
let searches = 0;

/**
 * The same lab and stack, with everything that `pulumi` prints kept, and searched with all else for credentials before
 * the lab stops. A finding fails the stop.
 */
export function huntOnStop({ lab, stack }: { readonly lab: Lab; readonly stack: Stack }) {
  watch ??= watchProcesses(EVERY_MS);
  searches += 1;
  const printed: string[] = [];
  const pulumi: Stack["pulumi"] = async (args, options) => {
    const result = await stack.pulumi(args, options);
    // What a test asks for in plain is no leak.
    const asked = args.includes("--show-secrets") || (args[0] === "config" && args[1] === "get");
    if (!asked) keep(printed, result);
    return result;
  };
  const searched = { ...stack, pulumi };
  const stop = async () => {
    try {
      const processes = await (watch as ProcessWatch).look();
      const result = await hunt({ lab, stack, printed, processes });
      // Another suite than the default one may gather no report; it searches all the same.
      const file = inject("leakReport") as string | undefined;
      if (file !== undefined) await report(file, result);
      if (result.found.length > 0) throw new Error(`credentials were left behind:\n  ${result.found.join("\n  ")}`);
    } finally {
      searches -= 1;
      if (searches === 0) {
        await watch?.stop();
        watch = undefined;
      }
      await lab.stop();
    }
  };
  return { lab: { ...lab, stop }, stack: searched };
}

const keep = (printed: string[], { stdout, stderr }: PulumiResult) => printed.push(stdout, stderr);

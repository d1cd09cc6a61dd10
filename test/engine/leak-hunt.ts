import { join } from "node:path";
import { expect } from "vitest";
import type { PulumiResult } from "../../dev/lab/stack";
import { LeakSearch } from "../unit/leaks/forms";
import { type Bench, setRequest } from "./harness";
import { filesBelow, type Secrets, slotSecrets, verifierSecrets } from "./leak-support";

/** The life of a password, with Pulumi as talkative as it can be: event logs, debug messages, a saved plan, exports. */
export interface Trail {
  /** An update with all of that. */
  up(): Promise<PulumiResult>;
  /** Two previews, one of which saves a plan. */
  previews(): Promise<PulumiResult>;
  /** An update with a request that it refuses. */
  refusal(): Promise<void>;
  /** What all of it left behind holds none of the passwords, nor a verifier, which the bench does not search for. */
  leadsNowhere(): Promise<void>;
}

/** Follows a bench with `huntLeaks`, which searches for its credentials in everything else when it stops. */
export function trailOf(bench: () => Bench): Trail {
  const printed: string[] = [];
  // The passwords there were, by slot and generation; PostgreSQL's log has the verifiers and may.
  const [passwords, verifiers]: [Secrets[], Secrets[]] = [[], []];
  const pulumi = async (args: string[], { exitCode = 0, env = {} } = {}) => {
    const result = await bench().stack.pulumi(args, { env });
    expect(result.exitCode, result.stdout + result.stderr).toBe(exitCode);
    printed.push(result.stdout, result.stderr);
    return result;
  };
  return {
    async up() {
      const log = join(bench().stack.projectDir, `events-${printed.length}.json`);
      const args = ["up", "--yes", "--skip-preview", "--diff", "--show-replacement-steps", "--debug"];
      // Pulumi shows this flag only to those who debug it; its Automation API uses it all the time.
      const env = { PULUMI_DEBUG_COMMANDS: "true" };
      const result = await pulumi([...args, "--event-log", log], { env });
      passwords.push(await slotSecrets(bench()));
      verifiers.push(numbered(await verifierSecrets(bench()), verifiers.length));
      return result;
    },
    async previews() {
      await pulumi(["preview", "--diff", "--show-replacement-steps", "--save-plan=plan.json"]);
      return pulumi(["preview", "--diff"]);
    },
    async refusal() {
      await setRequest(bench(), { id: "nonsense", activate: 7 });
      await pulumi(["up", "--yes", "--skip-preview", "--diff"], { exitCode: 1 });
    },
    async leadsNowhere() {
      for (const what of [["output", "--json"], ["export"]]) await pulumi(["stack", ...what]);
      const secrets: Secrets = Object.assign({}, ...verifiers, ...passwords);
      expect(Object.keys(Object.assign({}, ...passwords))).toHaveLength(3);
      const search = new LeakSearch(secrets);
      const { stateDir, projectDir } = bench().stack;
      const files = [...(await filesBelow(stateDir)), ...(await filesBelow(projectDir))];
      for (const { path, bytes } of files) expect(search.in(bytes), path).toEqual([]);
      expect(search.in(printed.join("\n"))).toEqual([]);
    },
  };
}

const numbered = (secrets: Secrets, number: number) =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [`${name} (${number})`, value]));

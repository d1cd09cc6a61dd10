import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Files that take longest, in that order: begun last, one of them would run alone at the end. Not a promise on speed,
 * and a file that is missing here is only begun later than it could be.
 */
const LONGEST = [
  ...["engine/faults/platform", "engine/cli-killed", "engine/cli-signals", "engine/docs-operations"],
  ...["engine/store-documents", "engine/cli-advice", "engine/rotation", "engine/store-upgrade"],
  ...["engine/cli-diagnose", "engine/docs-readme", "engine/input", "engine/cli-run"],
  ...["engine/old-login-in-use", "engine/cli-remind", "engine/roles", "engine/half-way"],
  ...["engine/single-user", "engine/alpaca-life", "engine/cli-status", "engine/vault-dynamic"],
  ...["engine/cli-validate", "engine/vault-static", "engine/adoption-failed"],
  ...["engine/crash-alternating", "engine/aws-refusals", "engine/aws", "engine/faults/postgres"],
  ...["servers/steps/equal-login", "servers/steps/ssh", "servers/lab/main", "servers/steps/login-role"],
].map((name) => `test/${name}.test.ts`);

/** The longest files of all projects first; then the engine's, the servers' and the unit tests, as Vitest orders each. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

/** A project whose tests are below `test/NAME`. */
const project = (name: string, more: { include?: string[]; globalSetup?: string[] } = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...more },
});

const TOOLS = "test/tools-setup.ts";

export default defineConfig({
  test: {
    // One update of the real engine takes seconds, and few cores are shared by all tests.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    // Files share a worker and what it has loaded: a quarter of the processor's time of all but the engine's tests went
    // into loading it anew. So no file leaves anything behind in a module.
    isolate: false,
    // An update waits about a third of its time: for a service to be healthy, for a disk, for another process.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    sequence: { sequencer: LongestFirst },
    projects: [
      // Starts no process and needs no tool.
      project("unit"),
      project("servers", { globalSetup: [TOOLS] }),
      project("engine", {
        include: [
          "test/engine/**/*.test.ts",
          ...(process.env.FAULTS === "all" ? ["test/engine/faults/*.faults.ts"] : []),
        ],
        globalSetup: [TOOLS, "test/engine/reports-setup.ts"],
      }),
      // The whole crash matrix takes hours, so it runs only if it is asked for: `npm run test:crash`.
      ...(process.env.CRASH === undefined ? [] : [crash()]),
      // Software of others, installed from the distribution: `npm run test:field`.
      ...(process.env.FIELD === undefined ? [] : [field()]),
    ],
  },
});

function crash() {
  const { extends: inherits, test } = project("crash", {
    include: ["test/crash/*.crash.ts"],
    globalSetup: ["test/crash/summary.ts"],
  });
  // A cell is twenty points, each an update that dies and one that finishes.
  return { extends: inherits, test: { ...test, testTimeout: 3_600_000, maxWorkers: 2, sequence: { groupOrder: 1 } } };
}

function field() {
  const { extends: inherits, test } = project("field", { include: ["test/field/*.field.ts"], globalSetup: [TOOLS] });
  return { extends: inherits, test: { ...test, hookTimeout: 1_800_000, maxWorkers: 1, sequence: { groupOrder: 1 } } };
}

import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", ...(process.env.FAULTS === "all" ? ["test/engine/faults/*.faults.ts"] : [])],
    globalSetup: "test/global-setup.ts",
    // One update of the real engine takes seconds, and few cores are shared by all tests.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    // Files share a worker and what it has loaded: a quarter of the processor's time of all but the end-to-end tests went
    // into loading it anew. So no file leaves anything behind in a module.
    isolate: false,
    // An update waits about a third of its time: for a service to be healthy, for a disk, for another process.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
  },
});

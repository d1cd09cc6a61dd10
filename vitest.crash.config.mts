import { defineConfig } from "vitest/config";

// The whole crash matrix: `npm run test:crash`.
export default defineConfig({
  test: {
    include: ["test/crash/*.crash.ts"],
    globalSetup: "test/crash/summary.ts",
    maxWorkers: 2,
    // A cell is twenty points, each an update that dies and one that finishes.
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
    disableConsoleIntercept: true,
  },
});

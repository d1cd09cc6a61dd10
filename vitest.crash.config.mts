import { defineConfig } from "vitest/config";

// The whole crash matrix: `npm run test:crash`.
export default defineConfig({
  test: {
    include: ["test/crash/*.crash.ts"],
    globalSetup: "test/crash/summary.ts",
    maxWorkers: 2,
    hookTimeout: 300_000,
    disableConsoleIntercept: true,
  },
});

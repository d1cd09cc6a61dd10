import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // One update of the real engine takes seconds, a cold toolchain minutes.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});

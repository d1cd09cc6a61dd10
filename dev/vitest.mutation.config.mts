import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * For `npm run test:mutation`: the unit tests of what is mutated, without the ones that take seconds for themselves (the
 * model of the state machine, and texts of any kind in all forms of a secret).
 */
export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    include: [
      "test/unit/{core,kinds,stores,components/preflight}/**/*.test.ts",
      "test/unit/cli/plan-words.test.ts",
      "test/unit/config/{access,config,wrong-keys}.test.ts",
    ],
    exclude: ["**/secret-fields.test.ts"],
    isolate: false,
    testTimeout: 120_000,
  },
});

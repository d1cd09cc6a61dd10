import { overridesOf, preflightInput, runChecks } from "./checks/preflight";
import { runStep, StepError } from "./run-step";

/** Looks at everything a rotation will touch, all of it at once, and touches nothing. */
await runStep(preflightInput, async (given) => {
  const startedAt = new Date().toISOString();
  const results = await runChecks(given);
  const failed = results.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    throw new StepError(
      `preflight for ${given.secretName}: ${failed.length} of ${results.length} checks failed; nothing was changed\n` +
        failed.map(({ name, evidence }) => `  ${name}: ${evidence}`).join("\n"),
    );
  }
  return {
    startedAt,
    overrides: overridesOf(given),
    checks: results.map(({ name, evidence }) => ({ name, evidence })),
  };
});

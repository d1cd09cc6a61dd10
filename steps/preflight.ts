import { type CheckResult, failureOf } from "../components/preflight/preflight";
import { StepError } from "../core/errors";
import { answerOf, preflightInput, runPreflight } from "../kinds/preflights";
import { runStep } from "./run-step";

/** Looks at everything a rotation will touch, all of it at once, and touches nothing. */
await runStep(preflightInput, async (given) => {
  const startedAt = new Date().toISOString();
  const results = await runPreflight(given);
  const failure = failureOf(given, results);
  if (failure !== undefined) throw new StepError(failure);
  return {
    startedAt,
    ...(await answerOf(given, results)),
    ...warningsOf(results),
    checks: results.map(({ name, evidence }) => ({ name, evidence })),
  };
});

/** They get into the audit row. */
function warningsOf(results: readonly CheckResult[]) {
  const warnings = results.flatMap((result) => result.warnings ?? []);
  return warnings.length === 0 ? {} : { warnings };
}

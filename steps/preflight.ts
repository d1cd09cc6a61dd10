import { type CheckResult, failureOf } from "../components/preflight/preflight";
import { StepError } from "../core/errors";
import { answerOf, preflightInput, runPreflight } from "../kinds/preflights";
import { runStep } from "./run-step";

/** Checks everything that a rotation will touch, all at once, and changes nothing. */
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

/** Written into the audit row. */
function warningsOf(results: readonly CheckResult[]) {
  const warnings = results.flatMap((result) => result.warnings ?? []);
  return warnings.length === 0 ? {} : { warnings };
}

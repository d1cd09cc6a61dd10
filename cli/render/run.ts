import type { Happening } from "../../operate/engine";
import { PHASE_WORDS, type Phase, phaseOf, restartOf, secretOf } from "../../operate/phases";
import type { PreflightResult } from "../../operate/preflight";
import type { RunResult } from "../../operate/run-result";
import type { Outline } from "../../operate/settings";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

/** The checklist, one line a check with its evidence. */
export function renderPreflight(results: readonly PreflightResult[], width = WIDTH): string {
  return results
    .map(({ secret, checks, ok }) => {
      const rows = checks.map((check) => [
        check.ok ? colors.green("ok") : colors.red("FAILED"),
        check.name,
        check.evidence,
      ]);
      const verdict = ok ? "ready" : `${checks.filter((check) => !check.ok).length} of ${checks.length} checks failed`;
      const columns = [{ title: "" }, { title: "CHECK", flexible: true }, { title: "EVIDENCE", flexible: true }];
      const warnings = checks
        .flatMap((check) => check.warnings ?? [])
        .map((text) => wrap(`warning: ${text}`, "", width));
      return [wrap(`${colors.bold(secret)}: ${verdict}`, "", width), table(columns, rows, width), ...warnings].join(
        "\n",
      );
    })
    .join("\n\n");
}

/** Follows an update and tells which phase of which secret it is in, each once. */
export function phaseTeller(
  secrets: readonly string[],
  { services }: Pick<Outline, "services">,
  tell: (text: string) => void,
): (happening: Happening) => void {
  const begun = new Set<string>();
  const restarted = new Set<string>();
  return (happening) => {
    if (happening.kind !== "begins") return;
    const { step } = happening;
    if (step.op === "same" || step.op === "read") return;
    const found = phaseOf(step);
    const secret = secretOf(step.name, secrets);
    if (found === undefined || secret === undefined) return;
    if (found === "restart") restarted.add(secret);
    const phase: Phase = found === "database" && restarted.has(secret) ? "settle" : found;
    const key = phase === "restart" ? step.urn : `${secret} ${phase}`;
    if (begun.has(key)) return;
    begun.add(key);
    tell(`${secret}: ${phase === "restart" ? restarting(step.name, secret, services) : PHASE_WORDS[phase]}`);
  };
}

function restarting(resource: string, secret: string, services: Outline["services"]): string {
  const { service, host } = restartOf(resource, secret, services) ?? { service: resource, host: undefined };
  return `restarting ${service}${host === undefined ? "" : ` on ${host}`}`;
}

/** How a run ended, in words. */
export function renderResult(result: RunResult, width = WIDTH): string {
  switch (result.outcome) {
    case "nothing to do":
      return wrap(
        ["Nothing to do.", ...result.plan.secrets.map(({ headline }) => `  ${headline}`)].join("\n"),
        "",
        width,
      );
    case "declined":
      return "Nothing was changed.";
    case "refused by the preflight":
      return [
        "The preflight failed; nothing was changed.",
        "",
        "Next:",
        ...result.next.map((line) => `  ${line}`),
      ].join("\n");
    case "done":
      return [
        ...result.secrets.map(({ secret, action, from, to }) =>
          wrap(`${colors.green("done")} ${secret}: ${doneWords(action, from, to)}`, "", width),
        ),
        ...(result.secrets.length === 0 ? [`${colors.green("done")}: the config's changes are in place`] : []),
        `${result.seconds} s`,
      ].join("\n");
    case "failed":
    case "rolled back":
      return [
        colors.red(result.outcome === "failed" ? "FAILED" : "FAILED, and rolled back"),
        wrap(result.failure.detail, "  ", width),
        "",
        wrap(result.situation, "", width),
        "",
        "Next:",
        ...result.next.map((line) => `  ${line}`),
      ].join("\n");
  }
}

function doneWords(action: string, from: number | null, to: number | null): string {
  if (action === "REVOKE") return `the credential before generation ${to} can no longer be used`;
  const what = { ADOPT: "taken over, now at", ROTATE: "rotated to", ROLLBACK: "rolled back to" }[action] ?? action;
  return `${what} generation ${to}${from === null ? "" : ` (was ${from})`}`;
}

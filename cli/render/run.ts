import { PHASE, type Phase } from "../../core/phases";
import { probeWords } from "../../core/probes";
import { restartOf, secretOf } from "../../core/resource-names";
import { phaseOf } from "../../kinds/phases";
import type { Happening } from "../operate/engine";
import type { PreflightResult } from "../operate/preflight";
import type { RunResult, SecretResult } from "../operate/run-result";
import type { Outline } from "../operate/settings";
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

/** A part of a rotation that begins, ended or failed. */
export interface Happened {
  readonly secret: string;
  /** Undefined for a resource that failed and belongs to no phase. */
  readonly phase: Phase | undefined;
  readonly state: "begins" | "done" | "failed";
  /** If it is a restart; without `host` on the machine that the run is on. */
  readonly restart?: { readonly service: string; readonly host: string | undefined };
}

/** Follows an update: each phase of each secret once when it begins, each restart when it begins and ends, and failures. */
export function followPhases(
  secrets: readonly string[],
  { services }: Pick<Outline, "services">,
  tell: (happened: Happened) => void,
): (happening: Happening) => void {
  const begun = new Set<string>();
  const restarted = new Set<string>();
  return (happening) => {
    if (happening.kind === "message" || happening.kind === "probe") return;
    const { step, kind } = happening;
    const secret = secretOf(step.name, secrets);
    if (secret === undefined || step.op === "same" || step.op === "read") return;
    const found = phaseOf(step);
    const restart = restartOf(step.name, secret, services);
    const about = { secret, ...(found === "restart" && restart !== undefined ? { restart } : {}) };
    if (kind === "failed") return tell({ ...about, phase: found, state: "failed" });
    if (found === undefined || (kind === "done" && about.restart === undefined)) return;
    if (found === "restart") restarted.add(secret);
    const phase: Phase = found === "database" && restarted.has(secret) ? "settle" : found;
    const key = `${kind} ${phase === "restart" ? step.urn : `${secret} ${phase}`}`;
    if (begun.has(key)) return;
    begun.add(key);
    tell({ ...about, phase, state: kind });
  };
}

/** {@link followPhases} in words: each phase of each secret once, and each restart by itself. */
export function phaseTeller(
  secrets: readonly string[],
  outline: Pick<Outline, "services">,
  progress: { step(text: string, secret: string): void; failed(secret: string): void },
): (happening: Happening) => void {
  return followPhases(secrets, outline, ({ secret, phase, state, restart }) => {
    if (state === "failed") progress.failed(secret);
    if (state !== "begins" || phase === undefined) return;
    progress.step(`${secret}: ${restart === undefined ? PHASE[phase].words : restarting(restart)}`, secret);
  });
}

export const restarting = ({ service, host }: NonNullable<Happened["restart"]>): string =>
  `restarting ${service}${host === undefined ? "" : ` on ${host}`}`;

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
    case "interrupted":
      return ["Interrupted before the update began: this run changed nothing.", "", ...nextLines(result.next)].join(
        "\n",
      );
    case "refused by the preflight":
      return ["The preflight failed; nothing was changed.", "", ...nextLines(result.next)].join("\n");
    case "done":
    case "incomplete":
      return [
        ...result.secrets.flatMap((secret) => secretLines(secret, width)),
        ...(result.secrets.length === 0 ? [`${colors.green("done")}: the config's changes are in place`] : []),
        `${result.seconds} s`,
        ...(result.next.length === 0 ? [] : ["", ...nextLines(result.next)]),
      ].join("\n");
    case "failed":
    case "rolled back":
      return [
        colors.red(result.outcome === "failed" ? "FAILED" : "FAILED, and rolled back"),
        wrap(result.failure.detail, "  ", width),
        "",
        wrap(result.situation, "", width),
        "",
        ...nextLines(result.next),
      ].join("\n");
  }
}

/** Commands are not wrapped, so that they can be copied. */
const nextLines = (next: readonly string[]): string[] => ["Next:", ...next.map((line) => `  ${line}`)];

function secretLines({ secret, action, from, to, missing, probes }: SecretResult, width: number): string[] {
  const seen = probes === undefined ? [] : [wrap(`probes: ${probeWords(probes)}`, "  ", width)];
  if (missing.length === 0)
    return [wrap(`${colors.green("done")} ${secret}: ${doneWords(action, from, to)}`, "", width), ...seen];
  const first = `${colors.red("INCOMPLETE")} ${secret}: ${doneWords(action, from, to)}, but`;
  return [wrap(first, "", width), ...missing.map((text) => wrap(text, "  ", width)), ...seen];
}

function doneWords(action: string, from: number | null, to: number | null): string {
  if (action === "REVOKE") return `the credential before generation ${to} is revoked`;
  const what = { ADOPT: "adopted, now at", ROTATE: "rotated to", ROLLBACK: "rolled back to" }[action] ?? action;
  return `${what} generation ${to}${from === null ? "" : ` (was ${from})`}`;
}

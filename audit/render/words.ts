import { formatDuration } from "../../core/duration";
import { probesIn } from "../../core/probes";
import { DAY } from "../../core/time";
import { counted } from "../controls";
import type { Report, ReportRow, SecretStanding, SecretSummary } from "../report";

export { counted };

/** The texts that all renderers share. */

export const STANDINGS: Record<SecretStanding, string> = {
  ok: "within limit",
  warning: "warning",
  alert: "final warning",
  overdue: "overdue",
  unknown: "age unknown",
};

/** `2026-11-23 09:00` in UTC; a dash if there is none. */
export function when(iso: string | null): string {
  return iso === null ? "–" : iso.slice(0, 16).replace("T", " ");
}

/** `2026-11-23`; a dash if there is none. */
export const day = (iso: string | null): string => when(iso).slice(0, 10);

export const orDash = (value: string | number | null): string => (value === null || value === "" ? "–" : String(value));

export const secretTitle = ({ name, environment }: SecretSummary): string =>
  environment === null ? name : `${name} (${environment})`;

export function ageText({ ageDays, inUseBefore, maxAgeDays, leaseDays }: SecretSummary): string {
  if (inUseBefore !== null && leaseDays === null) return `unknown, in use since before ${day(inUseBefore)}`;
  if (leaseDays !== null) return `leases, ${leaseText(leaseDays)} each`;
  return ageDays === null ? `– of ${maxAgeDays} days` : `${ageDays} of ${maxAgeDays} days`;
}

/** `up to 24h`, from days. */
const leaseText = (days: number) => `up to ${formatDuration(Math.round(days * DAY))}`;

export const durationText = ({ durationSeconds }: ReportRow): string =>
  durationSeconds === null ? "–" : `${Math.round(durationSeconds * 10) / 10} s`;

/** Why a row is there, and what the probes of its update saw. */
export function reasonText({ reason, outputs }: Pick<ReportRow, "reason" | "outputs">): string {
  const probes = probesIn(outputs);
  return orDash([reason, probes && `probes: ${probes}`].filter((text) => text).join("; "));
}

/** One sentence on the hash chain. */
export function chainSentence({ valid, guarded, rows, tail, problems, omitted }: Report["chain"]): string {
  if (!valid) {
    return `The log was tampered with: ${counted(problems.length + omitted, "problem")} in ${counted(rows, "row")}.`;
  }
  const last = tail ? `, the last one row ${tail.id} with hash ${tail.hash}` : "";
  const guard = guarded ? "" : " The triggers that refuse UPDATE and DELETE are not in force.";
  return `The chain is intact: ${counted(rows, "row")}${last}.${guard}`;
}

export function pruneSentence({ prunedThrough }: Report["chain"]): string {
  return prunedThrough === null
    ? "No row was removed by retention (two years)."
    : `Rows up to ${prunedThrough} were removed by retention (two years), which the log accounts for.`;
}

/** The time that the report covers. */
export function periodText({ from, to }: Report): string {
  return `${when(from)} to ${when(to)} UTC`;
}

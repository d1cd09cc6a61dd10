import { formatDuration } from "../../core/duration";
import type { StackStatus } from "../operate/read-status";
import type { SecretStatus, Standing } from "../operate/status";
import { openInWords } from "./audit";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";
import { watchWords } from "./watch";

const PAINT: Record<Standing, (text: string) => string> = {
  ok: colors.green,
  new: colors.yellow,
  warning: colors.yellow,
  alert: colors.yellow,
  due: colors.red,
  unfinished: (text) => colors.bold(colors.red(text)),
  failed: colors.red,
  overdue: (text) => colors.bold(colors.red(text)),
};

/** `rotation status` on one screen, at most 80 columns wide. */
export function renderStatus(status: StackStatus, width = WIDTH): string {
  const { stack, environment, now, secrets, logError } = status;
  const open = countersignedWords(status);
  const rows = secrets.map((secret) => [
    colors.bold(secret.name),
    PAINT[secret.standing](secret.standing),
    secret.generation === null ? "-" : String(secret.generation),
    ageText(secret),
    secret.daysLeft === null ? "-" : `${secret.daysLeft} d`,
    dueText(secret),
  ]);
  const columns = [
    { title: "SECRET", flexible: true },
    { title: "STATE" },
    { title: "GEN", align: "right" as const },
    { title: "AGE", align: "right" as const },
    { title: "LEFT", align: "right" as const },
    { title: "DUE (UTC)" },
  ];
  return [
    wrap(`stack ${stack}, environment ${environment}, ${minute(now)} UTC`, "", width),
    "",
    table(columns, rows, width),
    "",
    ...secrets.map((secret) => wrap(`${secret.name}: ${detail(secret, now)}`, "", width)),
    ...(logError === null ? [] : ["", wrap(`The audit log could not be read: ${logError}`, "", width)]),
    ...(open === undefined ? [] : ["", wrap(open, "", width)]),
  ].join("\n");
}

/** What of the audit log is not countersigned, in a sentence; undefined if all is, or nothing is to be. */
export function countersignedWords({ countersigned }: Pick<StackStatus, "countersigned">): string | undefined {
  if (countersigned === undefined) return undefined;
  if ("open" in countersigned) {
    const words = openInWords(countersigned);
    return words.length === 0 ? undefined : `Audit log: ${words.join(" ")}`;
  }
  const { places, command } = countersigned;
  return `Audit log: how many rows are not countersigned yet is in ${places.join(", ")}, which is not asked for a status; \`${command}\` does.`;
}

function ageText({ ageDays, inUseBefore }: SecretStatus): string {
  if (inUseBefore !== null) return "unknown";
  return ageDays === null ? "-" : `${ageDays} d`;
}

function dueText({ dueAt, standing }: SecretStatus): string {
  if (dueAt !== null) return minute(dueAt);
  return standing === "new" ? "first run" : "never by age";
}

/** One sentence on a secret. */
export function detail(secret: SecretStatus, now: string): string {
  const { strategy, supply, store, previous, lastRow, standing, maxAgeDays } = secret;
  const { lease, vault } = secret;
  const limit =
    lease === undefined
      ? `at most ${maxAgeDays} d`
      : `each login ends after ${seconds(lease.defaultTtlSeconds)} unless it is renewed, after ${seconds(lease.maxTtlSeconds)} at the latest`;
  const parts = [`${strategy}, ${store}, ${limit}`];
  if (vault !== undefined) {
    const next = vault.nextRotation === null ? "by its schedule" : `at ${minute(vault.nextRotation)}`;
    parts.push(`Vault rotated it at ${minute(vault.lastRotation)}, and again ${next}`);
  }
  if (secret.inUseBefore !== null)
    parts.push(`its age is unknown: it was adopted, and in use since before ${minute(secret.inUseBefore)}`);
  if (secret.unfinished !== null) {
    const { action, generation, at } = secret.unfinished;
    parts.push(
      `an update (${action} to generation ${generation}, begun ${minute(at)}) was interrupted; the next \`rotation run\` finishes it`,
    );
  }
  if (standing === "new") parts.push("not adopted yet; the first `rotation run` adopts it");
  if (supply !== undefined && standing !== "ok" && standing !== "new") {
    parts.push(`it rotates once a new value is supplied: \`${supply}\``);
  }
  parts.push(...calendarParts(secret));
  if (previous !== null) parts.push(`generation ${previous.generation} ${ending(previous, now)}`);
  if (previous?.watch !== undefined) parts.push(`it ${watchWords(previous.watch)}`);
  if (lastRow !== null) {
    parts.push(`log: ${lastRow.action} ${lastRow.status} by ${lastRow.rotatedBy}, ${minute(lastRow.rotationDate)}`);
  }
  return parts.join("; ");
}

/** The window, a pause, and whether no window is left, which the line begins with. */
function calendarParts({ window, paused }: SecretStatus): string[] {
  const next =
    window === undefined || window.waits !== null
      ? window?.waits
      : `its next window ${window.opens === null ? "is not in sight" : `opens ${window.opens}`}`;
  return [
    ...(window?.alarm ? [`ALARM: ${window.alarm}`] : []),
    ...(next == null ? [] : [`${next}${window?.left === 1 ? ", the last one before its maximum age" : ""}`]),
    ...(paused?.isOver
      ? [
          `its pause ended at ${minute(paused.until)} UTC (${paused.reason}): remove \`paused\` from the config, or extend it`,
        ]
      : []),
  ];
}

function ending({ revoked, validUntil, watch }: NonNullable<SecretStatus["previous"]>, now: string): string {
  if (revoked) return "is revoked";
  if (now < validUntil) return `stays usable until ${minute(validUntil)}`;
  if (watch !== undefined) return `is usable although its grace period ended at ${minute(validUntil)}`;
  return `has been due for revocation since ${minute(validUntil)}; the next update revokes it`;
}

const seconds = (count: number) => formatDuration(count * 1000);

/** A date to the minute, in UTC: `2026-11-23 08:05`. */
export const minute = (date: string): string => date.slice(0, 16).replace("T", " ");

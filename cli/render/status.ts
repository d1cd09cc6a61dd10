import type { StackStatus } from "../../operate/read-status";
import type { SecretStatus, Standing } from "../../operate/status";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

const PAINT: Record<Standing, (text: string) => string> = {
  ok: colors.green,
  new: colors.yellow,
  warning: colors.yellow,
  alert: colors.yellow,
  due: colors.red,
  overdue: (text) => colors.bold(colors.red(text)),
};

/** `rotation status` on one screen, at most 80 columns wide. */
export function renderStatus(status: StackStatus, width = WIDTH): string {
  const { stack, environment, now, secrets, logError } = status;
  const rows = secrets.map((secret) => [
    colors.bold(secret.name),
    PAINT[secret.standing](secret.standing),
    secret.generation === null ? "-" : String(secret.generation),
    secret.ageDays === null ? "-" : `${secret.ageDays} d`,
    secret.daysLeft === null ? "-" : `${secret.daysLeft} d`,
    secret.dueAt === null ? "first run" : minute(secret.dueAt),
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
    ...secrets.map((secret) => wrap(`${secret.name}: ${detail(secret)}`, "", width)),
    ...(logError === null ? [] : ["", wrap(`The audit log could not be read: ${logError}`, "", width)]),
  ].join("\n");
}

function detail({ strategy, store, previous, lastRow, standing, maxAgeDays }: SecretStatus): string {
  const parts = [`${strategy}, ${store}, at most ${maxAgeDays} d`];
  if (standing === "new") parts.push("not taken over yet; the first `rotation run` does");
  if (previous !== null) {
    parts.push(
      previous.revoked
        ? `generation ${previous.generation} is ended`
        : `generation ${previous.generation} stays usable until ${minute(previous.validUntil)}`,
    );
  }
  if (lastRow !== null) {
    parts.push(`log: ${lastRow.action} ${lastRow.status} by ${lastRow.rotatedBy}, ${minute(lastRow.rotationDate)}`);
  }
  return parts.join("; ");
}

/** A date to the minute, in UTC: `2026-11-23 08:05`. */
export const minute = (date: string): string => date.slice(0, 16).replace("T", " ");

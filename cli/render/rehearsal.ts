import type { RehearsalRow } from "../../core/rehearsal";
import type { RehearsalResult } from "../operate/rehearse";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

const PAINT: Record<RehearsalRow["verdict"], (text: string) => string> = {
  ok: colors.green,
  differs: colors.red,
  "no way": colors.dim,
  unseen: colors.dim,
};

/** A table for each secret: who, over which path, and what was seen of login, rights and store. */
export function renderRehearsal(results: readonly RehearsalResult[], width = WIDTH): string {
  const columns = [
    { title: "" },
    ...["READER", "PATH", "LOGIN", "RIGHTS", "STORE"].map((title) => ({ title, flexible: true })),
  ];
  return results
    .map(({ secret, rows, note }) => {
      const differ = rows.filter(({ verdict }) => verdict === "differs").length;
      const says = note ?? (differ === 0 ? "every reader gets in" : `${differ} of ${rows.length} differ`);
      const title = wrap(`${colors.bold(secret)}: ${says}`, "", width);
      const lines = rows.map(({ verdict, reader, path, login, rights, store }) => [
        ...[PAINT[verdict](verdict), reader, path, login, rights, store],
      ]);
      return lines.length === 0 ? title : `${title}\n${table(columns, lines, width)}`;
    })
    .join("\n\n");
}

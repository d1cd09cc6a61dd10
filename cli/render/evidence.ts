import { counted } from "../../audit/controls";
import type { Anchored } from "../../audit/evidence/anchoring";
import type { BundleVerdict } from "../../audit/evidence/verify";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

/** What {@link renderBundle} prints first if something is wrong; its opposite if nothing is. */
export function renderBundle({
  valid,
  signedBy,
  about,
  rows,
  anchors,
  confirmedTo,
  problems,
  notes,
}: BundleVerdict): string {
  const lines = [
    valid
      ? colors.green(`The evidence is intact: ${counted(rows, "row")}, ${counted(anchors, "anchor")}.`)
      : colors.red(`The evidence is not intact: ${counted(problems.length, "problem")}.`),
  ];
  if (about !== undefined)
    lines.push(
      wrap(
        `Stack ${about.stack} (${about.environment}), ${about.from} to ${about.to}; made on ${about.madeAt} by ${about.madeBy}.`,
        "",
        WIDTH,
      ),
    );
  if (signedBy !== undefined) lines.push(`Signed by ${signedBy}.`);
  if (confirmedTo > 0) lines.push(`Rows up to ${confirmedTo} were noted outside of the database.`);
  lines.push(...notes.map((note) => wrap(`Not proven: ${note}.`, "", WIDTH)));
  if (problems.length > 0) {
    const columns = [{ title: "WHERE" }, { title: "FOUND", flexible: true }];
    lines.push(
      "",
      table(
        columns,
        problems.map(({ where, message }) => [where, message]),
        WIDTH,
      ),
    );
  }
  return lines.join("\n");
}

/** What an anchoring did. */
export function renderAnchored({ newest, added, failed }: Anchored): string {
  const lines = Object.entries(failed).map(([name, error]) => wrap(`Not noted in ${name}: ${error}`, "", WIDTH));
  if (newest === undefined) return ["Nothing was noted.", ...lines].join("\n");
  const { id, sequence } = newest.anchor;
  return [`${added ? "Noted" : "Noted already"}: row ${id} is the log's last (anchor ${sequence}).`, ...lines].join(
    "\n",
  );
}

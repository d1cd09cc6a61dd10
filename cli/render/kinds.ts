import type { KindTest } from "../operate/kinds/life";
import type { PromiseSeen } from "../operate/kinds/promises";
import { colors } from "./colors";
import { table, WIDTH, wrap } from "./table";

const PAINT: Record<PromiseSeen["verdict"], (text: string) => string> = {
  ok: colors.green,
  broken: colors.red,
  "not seen": colors.dim,
};

/** Each promise with its verdict and what was seen. */
export function renderKindTest({ folder, ok, promises, left }: KindTest, width = WIDTH): string {
  const broken = promises.filter(({ verdict }) => verdict === "broken").length;
  const unseen = promises.filter(({ verdict }) => verdict === "not seen").length;
  const columns = [{ title: "" }, { title: "PROMISE", flexible: true }, { title: "EVIDENCE", flexible: true }];
  const rows = promises.map(({ verdict, says, evidence }) => [PAINT[verdict](verdict), says, evidence]);
  const kept = unseen === 0 ? "every promise is kept" : `no promise is broken, ${unseen} not seen`;
  const title = broken === 0 ? kept : `${broken} of ${promises.length} promises broken`;
  const rest = left.map((id) =>
    wrap(`A credential may be left at the issuer, under the id ${id}: end it there.`, "", width),
  );
  return [
    wrap(`${colors.bold(folder)}: ${ok || broken > 0 ? title : `${title}, but the test is not complete`}`, "", width),
    table(columns, rows, width),
    ...(rest.length === 0 ? [] : ["", ...rest]),
  ].join("\n");
}

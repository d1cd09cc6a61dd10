import { counted } from "../../audit/controls";
import type { Report } from "../operate/leaked/findings";
import type { Leak } from "../operate/leaked/leak";
import type { Response, Unanswered } from "../operate/leaked/respond";
import { colors } from "./colors";
import { WIDTH, wrap } from "./table";

/** What was found, a paragraph each, and what could not be looked for. */
export function renderLeaks(
  leaks: readonly Leak[],
  { format, findings, withoutValue, next }: Pick<Report, "format" | "findings" | "withoutValue" | "next">,
): string {
  const read = format === "text" ? "read as a text" : `read as ${format}, ${counted(findings, "finding")}`;
  const missing =
    next === undefined
      ? []
      : [
          wrap(
            colors.red(
              `${withoutValue} of ${counted(findings, "finding")} without the value: nobody can say whose it is. ${next}`,
            ),
            "",
            WIDTH,
          ),
        ];
  const nothing =
    withoutValue === findings && findings > 0
      ? []
      : [wrap(`Nothing of this stack: no generation of any secret is in the input (${read}).`, "", WIDTH)];
  return [...(leaks.length === 0 ? nothing : leaks.map(renderLeak)), ...missing].join("\n\n");
}

function renderLeak({ secret, generation, part, standing, answer, evidence, where }: Leak): string {
  const of = generation === null ? "that Vault made" : `of generation ${generation}`;
  const head = `${secret}: ${part} ${of}, ${STANDING[standing]}; ${ANSWER[answer]}`;
  const isAlive = answer !== "refused";
  return [
    wrap(isAlive ? colors.red(head) : colors.green(head), "", WIDTH),
    wrap(evidence, "  ", WIDTH),
    ...where.slice(0, 5).map((place) => wrap(`in ${place}`, "  ", WIDTH)),
    ...(where.length > 5 ? [`  and ${where.length - 5} more places`] : []),
  ].join("\n");
}

const STANDING = { "in use": "in use", previous: "the previous one", ended: "an earlier one" } as const;
const ANSWER = { works: "IT STILL WORKS", refused: "it is refused", unknown: "whether it works is unknown" } as const;

/** What was done about it. */
export function renderResponses(responses: readonly Response[], unanswered: readonly Unanswered[]): string {
  const answered = responses.map(
    ({ secret, generation, to, refused, refusal, sessionsGone, sessions, seconds, next, row }) => {
      const done = refused !== null && sessionsGone !== null;
      const head = `${secret}: generation ${generation} is ${refused === null ? "NOT REFUSED" : "refused"}, generation ${to} in use, ${seconds} s after it was found`;
      return [
        wrap(done ? colors.green(head) : colors.red(head), "", WIDTH),
        wrap(`${refusal}; sessions: ${sessions}; row ${row} of the audit log`, "  ", WIDTH),
        ...(next === undefined ? [] : [wrap(`Next: ${next}`, "  ", WIDTH)]),
      ].join("\n");
    },
  );
  const left = unanswered.map(({ secret, failure, next }) =>
    [
      wrap(colors.red(`${secret}: NOT ROTATED`), "", WIDTH),
      wrap(failure, "  ", WIDTH),
      ...(next === undefined ? [] : [wrap(`Next: ${next}`, "  ", WIDTH)]),
    ].join("\n"),
  );
  return [...answered, ...left].join("\n\n");
}

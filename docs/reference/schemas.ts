import * as z from "zod";
import { runLine } from "../../cli/render/run-lines";
import { cloudEvent } from "../../core/events";
import { ANSWERS, request } from "../../kinds/custom/protocol";
import { kindDeclaration } from "../../kinds/custom/schema";

/** The JSON Schemas of what other programs read, by their file in `docs/schemas`. */
export function jsonSchemas(): Readonly<Record<string, string>> {
  const text = (schema: z.ZodType, title: string, io: "input" | "output" = "output") =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io }) }, null, 2)}\n`;
  return {
    "custom-kind.json": text(kindDeclaration, "kind.json of a kind of your own (docs/custom.md)", "input"),
    "custom-request.json": text(request, "What a command gets on its standard input (docs/custom.md)"),
    "custom-answer.json": text(z.union(Object.values(ANSWERS)), "What a command prints (docs/custom.md)", "input"),
    "event.json": text(cloudEvent, "An event of secret-rotation (docs/events.md)"),
    "run-line.json": text(runLine, "A line of `rotation run --json` (docs/events.md)"),
  };
}

import * as z from "zod";
import { runLine } from "../../cli/render/run-lines";
import { cloudEvent } from "../../core/events";

/** The JSON Schemas of what other programs read, by their file in `docs/schemas`. */
export function jsonSchemas(): Readonly<Record<string, string>> {
  const text = (schema: z.ZodType, title: string) =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: "output" }) }, null, 2)}\n`;
  return {
    "event.json": text(cloudEvent, "An event of secret-rotation (docs/events.md)"),
    "run-line.json": text(runLine, "A line of `rotation run --json` (docs/events.md)"),
  };
}

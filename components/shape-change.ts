import * as pulumi from "@pulumi/pulumi";
import { type DocumentShape, type KeptShape, keptShape } from "../core/document";
import { type DocumentConfig, hasValues } from "../core/document-settings";
import { RequestRefusedError } from "../core/request";
import type { PreviousSecret } from "./previous-secrets";

/** The shape that the last finished update left, from the stack's outputs. */
export const shapeBefore = (before: PreviousSecret | undefined): KeptShape | undefined =>
  before?.shape as KeptShape | undefined;

/** What the stack's outputs keep of a secret's shape. Nothing for single values, so that their outputs stay unchanged. */
export function shapeOutputs(
  secret: DocumentConfig,
  shapes: readonly DocumentShape[],
): { readonly more?: pulumi.Output<Record<string, unknown>> } {
  const [now, ...former] = shapes;
  if (now === undefined) return {};
  return {
    more: pulumi
      .output(now)
      .apply((): Record<string, unknown> => ({ shape: keptShape([now, ...former], hasValues(secret)) })),
  };
}

/**
 * Refuses a change of the shape after which a reader would find an old credential, or none, without notice.
 *
 * @param shape the document as the config says; undefined if there is none
 * @throws RequestRefusedError with the way to change it without an outage
 */
export function assertReadable(
  { name, format = "value", removedKeys = [] }: DocumentConfig,
  shape: DocumentShape | undefined,
  before: PreviousSecret | undefined,
): void {
  if (before === undefined) return;
  const kept = shapeBefore(before);
  const was = kept === undefined ? "value" : kept.beside ? "both" : "json";
  if (format !== was && format !== "both" && was !== "both") {
    throw new RequestRefusedError(
      `${name}: format changed from ${was} to ${format}: services that still read the ${was === "json" ? "document" : "values"} ` +
        "would find a credential that the next rotation ends. Set `format: both` with a `path` of its own for the document and " +
        "run `pulumi up`, which writes both and restarts nothing; move the services; then set the new format. Nothing was changed.",
    );
  }
  if (kept === undefined || shape === undefined || kept.path !== shape.path) return;
  const gone = Object.keys(kept.keys).filter((key) => !Object.hasOwn(shape.keys, key) && !removedKeys.includes(key));
  if (gone.length === 0) return;
  const list = gone.map((key) => `\`${key}\``).join(", ");
  throw new RequestRefusedError(
    `${name}: the config no longer has the key ${list} of ${kept.path}, which services may read: it would keep the old ` +
      `credential. Keep it until they are moved (\`extras: { ${gone[0]}: ${kept.keys[gone[0] ?? ""]} }\`); or remove it from ` +
      `the document: \`removedKeys: [${gone.join(", ")}]\`. Nothing was changed.`,
  );
}

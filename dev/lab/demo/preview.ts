/** The head of one resource in a `pulumi preview --diff`. */
const RESOURCE = /^\s*([+~-]{1,2}|\+-|=)\s*(\S+): \((\w[\w-]*)\)$/;
const URN = /^\s*\[urn=.*::(.+)\]$/;
/** The properties that matter to a reviewer: the generation, the login, that a value changes. */
const CHANGE = /^\s*~ (generation|login|password)\s*: .* => /;
const TOTAL = /^Resources:|^ {4}([~+=-]|\+-)\s?\d+ to |^ {4}\d+ changes/;

/** Pulumi's diff, shortened for a reviewer: each resource by its name, then its changes. */
export function readablePreview(diff: string): string {
  const lines = diff.split("\n");
  return lines
    .flatMap((line, index) => {
      const resource = RESOURCE.exec(line);
      if (resource !== null) {
        const urn = lines.slice(index + 1, index + 4).find((next) => URN.test(next)) ?? "";
        return [`  ${String(resource[1]).padEnd(2)} ${URN.exec(urn)?.[1] ?? resource[2]} (${resource[3]})`];
      }
      if (CHANGE.test(line)) return [`       ${line.trim().replace(/\s+:/, ":")}`];
      return TOTAL.test(line) ? [`  ${line}`] : [];
    })
    .join("\n");
}

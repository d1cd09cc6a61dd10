/** The head of one resource in a `pulumi preview --diff`. */
const RESOURCE = /^\s*([+~-]{1,2}|\+-|=)\s*(\S+): \((\w[\w-]*)\)$/;
const URN = /^\s*\[urn=.*::(.+)\]$/;
/** What of a resource a reviewer wants to see: which generation moves, which login, that a value changes. */
const CHANGE = /^\s*~ (generation|login|password)\s*: .* => /;
const TOTAL = /^Resources:|^ {4}([~+=-]|\+-)\s?\d+ to |^ {4}\d+ changes/;

/** Pulumi's diff as a reviewer reads it: each resource by its own name, then what of it changes. */
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

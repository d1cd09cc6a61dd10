/** A text in which a credential may have leaked. */
export interface LeakText {
  /** For people: a file and line, an address, or what the input is. */
  readonly where: string;
  readonly text: string;
}

/**
 * The texts of what a scanner reports: gitleaks' JSON, SARIF, the webhooks and lists of GitHub's secret scanning, those of
 * GitGuardian, and any other JSON; else the text itself. Every text in a finding counts, whatever its key is called.
 */
export function textsOf(input: string): LeakText[] {
  const document = jsonIn(input);
  if (document === undefined) return [{ where: "the value given", text: input.trim() }];
  return findingsIn(document).flatMap((finding) => {
    const where = placeOf(finding) ?? "the input";
    return stringsIn(finding).map((text) => ({ where, text }));
  });
}

function jsonIn(input: string): unknown {
  if (!/^\s*[[{]/.test(input)) return undefined;
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The single findings: those of a list, or of each run of SARIF. */
function findingsIn(document: unknown): readonly unknown[] {
  if (Array.isArray(document)) return document;
  if (isObject(document) && Array.isArray(document.runs))
    return document.runs.flatMap((run) => (isObject(run) ? listOf(run.results) : []));
  return [document];
}

/** Where a finding says that it is. */
function placeOf(finding: unknown): string | undefined {
  if (!isObject(finding)) return undefined;
  const { File: file, StartLine: line, Commit: commit } = finding;
  if (typeof file === "string") {
    const at = typeof line === "number" ? `${file}:${line}` : file;
    return typeof commit === "string" && commit !== "" ? `${at} in commit ${commit.slice(0, 12)}` : at;
  }
  const [location] = listOf(finding.locations);
  const physical = isObject(location) && isObject(location.physicalLocation) ? location.physicalLocation : undefined;
  const uri = isObject(physical?.artifactLocation) ? physical.artifactLocation.uri : undefined;
  const start = isObject(physical?.region) ? physical.region.startLine : undefined;
  if (typeof uri === "string") return typeof start === "number" ? `${uri}:${start}` : uri;
  const about = [finding.alert, finding.incident, finding].filter(isObject);
  const address = about.flatMap((one) => [one.html_url, one.gitguardian_url, one.share_url, one.url]);
  return address.find((one): one is string => typeof one === "string");
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

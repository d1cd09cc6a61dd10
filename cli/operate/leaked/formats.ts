import { isObject, type Json, listOf, objectsThat } from "./json";

/** What a scanner or a service reports. */
export interface Format {
  readonly name: string;
  /** The single findings of a document; undefined if it is of another format. */
  findings(document: unknown): readonly unknown[] | undefined;
  /** Whether a finding contains the value that was found: many have only an address, and scanners can redact it. */
  hasValue(finding: unknown): boolean;
  /** Where a finding says that it is. */
  place(finding: unknown): string | undefined;
  /** How to get the value of a finding without it. @param leaked the command that reads it */
  next(finding: unknown, leaked: string): string;
}

/** `gitleaks git --report-format json`, as its `report/json.go` writes it. */
const gitleaks: Format = {
  name: "gitleaks",
  findings: (document) =>
    Array.isArray(document) ? objectsThat((one) => "RuleID" in one && "Secret" in one, document) : undefined,
  hasValue: (finding) => isObject(finding) && !isMasked(finding.Secret),
  place: (finding) => {
    if (!isObject(finding) || typeof finding.File !== "string") return undefined;
    const { File: file, StartLine: line, Commit: commit } = finding;
    const at = typeof line === "number" ? `${file}:${line}` : file;
    return typeof commit === "string" && commit !== "" ? `${at} in commit ${commit.slice(0, 12)}` : at;
  },
  next: (_, leaked) =>
    `run gitleaks without --redact: \`gitleaks git --report-format json --report-path - . | ${leaked}\``,
};

/** SARIF 2.1.0 of any tool: the value is in the snippets of its locations. */
const sarif: Format = {
  name: "SARIF",
  findings: (document) =>
    isObject(document) && Array.isArray(document.runs)
      ? document.runs.flatMap((run) => (isObject(run) ? listOf(run.results) : []))
      : undefined,
  hasValue: (finding) => locationsOf(finding).some(({ region }) => isObject(region) && !isMasked(snippetOf(region))),
  place: (finding) => {
    const [first] = locationsOf(finding);
    const uri = isObject(first?.artifactLocation) ? first.artifactLocation.uri : undefined;
    const line = isObject(first?.region) ? first.region.startLine : undefined;
    if (typeof uri !== "string") return undefined;
    return typeof line === "number" ? `${uri}:${line}` : uri;
  },
  next: (_, leaked) => `have the scanner write snippets without redaction, then \`${leaked} FILE\``,
};

const locationsOf = (finding: unknown): Json[] =>
  isObject(finding)
    ? listOf(finding.locations).flatMap((one) =>
        isObject(one) && isObject(one.physicalLocation) ? [one.physicalLocation] : [],
      )
    : [];

const snippetOf = ({ snippet }: Json): unknown => (isObject(snippet) ? snippet.text : undefined);

/** A webhook `secret_scanning_alert` (or `..._location`), or what the API answers. Only the API has the value. */
export const github: Format = {
  name: "GitHub secret scanning",
  findings: (document) =>
    objectsThat(
      (one) => isObject(one.alert) && typeof one.alert.secret_type === "string" && isObject(one.repository),
      document,
    ) ?? objectsThat((one) => typeof one.secret_type === "string" && typeof one.number === "number", document),
  hasValue: (finding) => !isMasked(alertOf(finding)?.secret),
  place: (finding) => addressIn(alertOf(finding)),
  next: (finding, leaked) => {
    const { number, url } = alertOf(finding) ?? {};
    const repository = isObject(finding) && isObject(finding.repository) ? finding.repository.full_name : undefined;
    const [, path] = /\/(repos\/[^/]+\/[^/]+)\/secret-scanning/.exec(String(url)) ?? [];
    const safe = /^[\w./-]+$/.test(String(repository)) ? `repos/${String(repository)}` : "repos/OWNER/REPOSITORY";
    const alert = `${path ?? safe}/secret-scanning/alerts/${typeof number === "number" ? number : "NUMBER"}`;
    return `GitHub's API has it: \`gh api ${alert} | ${leaked}\``;
  },
};

const alertOf = (finding: unknown): Json | undefined =>
  isObject(finding) ? (isObject(finding.alert) ? finding.alert : finding) : undefined;

/** What GitHub sends to a partner. */
const partner: Format = {
  name: "GitHub's partner program",
  findings: (document) =>
    objectsThat((one) => typeof one.token === "string" && "type" in one && "url" in one, document),
  hasValue: (finding) => isObject(finding) && !isMasked(finding.token),
  place: (finding) => addressIn(finding),
  next: (_, leaked) => `fetch the value from its address and type it: \`${leaked}\``,
};

/** A custom webhook, or incidents of the API: GitGuardian never sends the value. */
const gitguardian: Format = {
  name: "GitGuardian",
  findings: (document) =>
    objectsThat(
      (one) => one.source === "GitGuardian" || (isObject(one.incident) && "detector" in one.incident),
      document,
    ) ?? objectsThat((one) => isObject(one.detector) && ("secret_hash" in one || "gitguardian_url" in one), document),
  hasValue: () => false,
  place: (finding) => (isObject(finding) ? (addressIn(finding.incident) ?? addressIn(finding)) : undefined),
  next: (_, leaked) =>
    `GitGuardian never sends it: type it (\`${leaked}\`), or scan the repository: ` +
    `\`ggshield secret scan --json --show-secrets repo . | ${leaked}\``,
};

/** Any other JSON: every text in it may be a value. */
const other: Format = {
  name: "JSON",
  findings: (document) => (Array.isArray(document) ? document : [document]),
  hasValue: () => true,
  place: (finding) => addressIn(finding),
  next: () => "",
};

/** In the order in which they are tried. */
export const FORMATS: readonly Format[] = [gitleaks, sarif, github, partner, gitguardian, other];

function addressIn(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const { html_url, gitguardian_url, share_url, url } = value;
  return [html_url, gitguardian_url, share_url, url].find((one): one is string => typeof one === "string");
}

/** gitleaks writes REDACTED, or with a percentage the beginning and three dots; others write asterisks. */
const isMasked = (value: unknown): boolean =>
  typeof value !== "string" || value === "" || /REDACTED|\*{3}/.test(value) || value.endsWith("...");

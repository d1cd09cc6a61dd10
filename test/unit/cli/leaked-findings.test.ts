import { describe, expect, it } from "vitest";
import { readReport } from "../../../cli/operate/leaked/findings";
import { verifySignature } from "../../../cli/operate/leaked/signature";

const LEAKED = "rotation leaked --stack paper";
const read = (document: unknown, file = "report.json") =>
  readReport(Buffer.from(typeof document === "string" ? document : JSON.stringify(document)), LEAKED, file);
const wheresOf = (document: unknown) => [...new Set(read(document).texts.map(({ where }) => where))];
const textsIn = (document: unknown) => read(document).texts.map(({ text }) => text);
const about = (document: unknown) => {
  const { texts: _, isWebhook: __, ...report } = read(document);
  return report;
};

/** With the keys that `gitleaks git --report-format json` writes (8.30). */
const gitleaks = (Secret: string, Match = `P="${Secret}"`) => ({
  ...{ RuleID: "generic-api-key", Description: "", StartLine: 3, EndLine: 3, StartColumn: 1, EndColumn: 9 },
  ...{ Match, Secret, File: "a.env", SymlinkFile: "", Commit: "4f1c2a9be0012345", Entropy: 4.1, Author: "a" },
  ...{ Email: "a@example.org", Date: "2026-01-01T00:00:00Z", Message: "m", Tags: [], Fingerprint: "f" },
});

/** With the keys that gitleaks' `report/sarif.go` writes. */
const sarif = (text: string) => ({
  $schema: "https://json.schemastore.org/sarif-2.1.0.json",
  version: "2.1.0",
  runs: [
    {
      tool: { driver: { name: "gitleaks", semanticVersion: "v8.0.0", rules: [] } },
      results: [
        {
          message: { text: "generic-api-key has detected secret for file src/b.yaml at commit 0000." },
          ruleId: "generic-api-key",
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: "src/b.yaml" },
                region: { startLine: 7, startColumn: 1, endLine: 7, endColumn: 9, snippet: { text } },
              },
            },
          ],
          partialFingerprints: { commitSha: "0000", email: "", author: "", date: "", commitMessage: "" },
          properties: { tags: [] },
        },
      ],
    },
  ],
});

/** With the keys of GitHub's webhook `secret_scanning_alert`; the real one has more of the repository. */
const webhook = (alert: object = {}) => ({
  action: "created",
  alert: {
    ...{
      number: 191,
      secret_type: "postgres_connection_string",
      resolution: null,
      resolved_by: null,
      resolved_at: null,
    },
    ...alert,
  },
  repository: { id: 1, name: "desk", full_name: "octo/desk", private: true },
  organization: { login: "octo", id: 2 },
  sender: { login: "octo", id: 3, type: "User" },
});

/** With the keys of an incident of GitGuardian's custom webhook. */
const gitguardian = {
  ...{ source: "GitGuardian", timestamp: "2026-06-20T07:45:32.930965Z", action: "incident_triggered" },
  ...{ message: "A new incident has been detected.", target_user: "GitGuardian" },
  incident: {
    ...{ id: 31542, date: "2026-06-20T07:45:31.666462Z", secret_hash: "xxx", hmsl_hash: "xxx", secret_revoked: false },
    detector: { name: "generic_password", display_name: "Generic Password", nature: "generic", family: "Other" },
    ...{ validity: "no_checker", occurrence_count: 0, status: "triggered", assignee_email: null, severity: "unknown" },
    ...{ gitguardian_url: "https://dashboard.gitguardian.com/workspace/1/incidents/1", share_url: null },
  },
};

describe("what a scanner reports", () => {
  it("gitleaks", () => {
    expect(wheresOf([gitleaks("v")])).toEqual(["a.env:3 in commit 4f1c2a9be001"]);
    expect(textsIn([gitleaks("v")])).toEqual(expect.arrayContaining(['P="v"', "v"]));
    expect(about([gitleaks("v"), gitleaks("w")])).toEqual({ format: "gitleaks", findings: 2, withoutValue: 0 });
  });

  it("gitleaks with --redact, in full or in part: says so, and how to get the values", () => {
    const found = about([gitleaks("REDACTED"), gitleaks("abc..."), gitleaks("v")]);
    expect(found).toMatchObject({ format: "gitleaks", findings: 3, withoutValue: 2 });
    expect(found.next).toBe(
      `run gitleaks without --redact: \`gitleaks git --report-format json --report-path - . | ${LEAKED}\``,
    );
  });

  it("SARIF, with and without the value", () => {
    expect(wheresOf(sarif("password: v"))).toEqual(["src/b.yaml:7"]);
    expect(textsIn(sarif("password: v"))).toContain("password: v");
    expect(about(sarif("v"))).toEqual({ format: "SARIF", findings: 1, withoutValue: 0 });
    expect(about(sarif("REDACTED"))).toMatchObject({ withoutValue: 1, next: expect.stringContaining(LEAKED) });
    expect(about({ version: "2.1.0", runs: [{ results: [] }] })).toEqual({
      ...{ format: "SARIF", findings: 0, withoutValue: 0 },
    });
  });

  it("GitHub's webhook, which has no value, and its API, which has", () => {
    const next = `GitHub's API has it: \`gh api repos/octo/desk/secret-scanning/alerts/191 | ${LEAKED}\``;
    const without = { format: "GitHub secret scanning", findings: 1, withoutValue: 1, next };
    expect(about(webhook())).toEqual(without);
    const url = "https://api.github.com/repos/octo/desk/secret-scanning/alerts/191";
    const html_url = "https://github.com/octo/desk/security/secret-scanning/191";
    expect(about([{ number: 191, secret_type: "x", url, html_url }])).toEqual(without);
    const alert = { number: 191, secret_type: "x", url, html_url, secret: "v" };
    expect(about(alert)).toEqual({ format: "GitHub secret scanning", findings: 1, withoutValue: 0 });
    expect(wheresOf([alert])).toEqual([html_url]);
    expect(textsIn(webhook({ secret: "v" }))).toContain("v");
  });

  it("GitHub's repository name goes into no command unless it is one", () => {
    const odd = { ...webhook(), repository: { full_name: "a/b; rm -rf ~" } };
    expect(about(odd).next).toContain("gh api repos/OWNER/REPOSITORY/secret-scanning/alerts/191 |");
  });

  it("GitHub's partner program", () => {
    const finding = { token: "v", type: "x", url: "https://github.com/o/r/blob/a/b", source: "content" };
    expect(about([finding])).toEqual({ format: "GitHub's partner program", findings: 1, withoutValue: 0 });
    expect(wheresOf([finding])).toEqual(["https://github.com/o/r/blob/a/b"]);
  });

  it("GitGuardian, which never sends the value", () => {
    expect(wheresOf(gitguardian)).toEqual([gitguardian.incident.gitguardian_url]);
    expect(about(gitguardian)).toMatchObject({ format: "GitGuardian", findings: 1, withoutValue: 1 });
    expect(about([gitguardian.incident])).toMatchObject({ format: "GitGuardian", findings: 1, withoutValue: 1 });
    expect(about(gitguardian).next).toContain(`type it (\`${LEAKED}\`)`);
  });

  it("JSON Lines, any other JSON, with a mark before it and in UTF-16", () => {
    expect(about('{"Raw":"v"}\n{"Raw":"w"}\n')).toEqual({ format: "JSON", findings: 2, withoutValue: 0 });
    expect(wheresOf({ any: { thing: ["v"] } })).toEqual(["the input"]);
    expect(about("[]")).toEqual({ format: "JSON", findings: 0, withoutValue: 0 });
    const text = `\uFEFF${JSON.stringify([gitleaks("v")])}`;
    for (const bytes of [Buffer.from(text), Buffer.from(text, "utf16le")])
      expect(readReport(bytes, LEAKED, "report.json").format).toBe("gitleaks");
  });

  it("anything else is a text, also a typed value that only looks like JSON", () => {
    const typed = (text: string) => readReport(Buffer.from(text), LEAKED).texts;
    expect(typed("[half a value\n")).toEqual([{ where: "the value given", text: "[half a value" }]);
    expect(typed('{"a')).toEqual([{ where: "the value given", text: '{"a' }]);
    expect(read("A=v\n", "a.env").texts).toEqual([{ where: "a.env", text: "A=v" }]);
  });

  it.each([
    ["an empty file", "", /^report\.json is empty: expected gitleaks JSON, SARIF,/],
    ["spaces alone", " \n", /^report\.json is empty/],
    ["a report that was cut off", '[{"Secret":"hunter-22', /^report\.json begins as JSON .* after 21 characters/],
    ["a binary file", "PK\u0003\u0004\0\0", /^report\.json is binary/],
  ])("refuses %s, and quotes nothing of it", (_, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).not.toThrow(/hunter/);
  });

  it("refuses a webhook that was cut off on standard input", () => {
    expect(() => readReport(Buffer.from('{"action":"created","alert":{'), LEAKED)).toThrow(/^the input begins as JSON/);
  });
});

describe("the signature of GitHub's webhook", () => {
  // GitHub's own example: "Validating webhook deliveries".
  const body = Buffer.from("Hello, World!");
  const key = "It's a Secret to Everybody";
  const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  const verify = (given: Partial<Parameters<typeof verifySignature>[1]>, bytes = body) =>
    verifySignature(bytes, { signature, key, isWebhook: true, ...given });

  it("is accepted", () => {
    expect(() => verify({})).not.toThrow();
    expect(() => verify({ key: undefined, signature: undefined })).not.toThrow();
    expect(() => verify({ signature: undefined, isWebhook: false })).not.toThrow();
  });

  it.each<[string, Parameters<typeof verify>, RegExp]>([
    ["another body", [{}, Buffer.from("Hello, World?")], /the signature does not fit/],
    ["another key", [{ key: "another" }], /the signature does not fit/],
    ["a signature that is none", [{ signature: "sha256=" }], /the signature does not fit/],
    ["no signature, but a key", [{ signature: undefined }], /needs its signature, found none/],
    ["no key", [{ key: undefined }], /needs the webhook's secret in .* GITHUB_WEBHOOK_SECRET, found none/],
    ["a report that is no webhook", [{ isWebhook: false }], /is for a webhook/],
  ])("is refused: %s", (_, given, message) => {
    expect(() => verify(...given)).toThrow(message);
  });
});

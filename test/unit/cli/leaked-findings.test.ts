import { describe, expect, it } from "vitest";
import { textsOf } from "../../../cli/operate/leaked/findings";

const wheresOf = (document: unknown) => [...new Set(textsOf(JSON.stringify(document)).map(({ where }) => where))];
const textsIn = (document: unknown) => textsOf(JSON.stringify(document)).map(({ text }) => text);

describe("what a scanner reports", () => {
  it("gitleaks", () => {
    const report = [
      { RuleID: "a", File: "a.env", StartLine: 3, Commit: "4f1c2a9be0012345", Match: "P=v", Secret: "v" },
    ];
    expect(wheresOf(report)).toEqual(["a.env:3 in commit 4f1c2a9be001"]);
    expect(textsIn(report)).toEqual(expect.arrayContaining(["P=v", "v"]));
  });

  it("SARIF", () => {
    const region = { startLine: 7, snippet: { text: "password: v" } };
    const location = { physicalLocation: { artifactLocation: { uri: "src/b.yaml" }, region } };
    const report = { version: "2.1.0", runs: [{ results: [{ ruleId: "a", locations: [location] }] }] };
    expect(wheresOf(report)).toEqual(["src/b.yaml:7"]);
    expect(textsIn(report)).toContain("password: v");
  });

  it("GitHub's webhook, its partner program, and GitGuardian's webhook", () => {
    const address = "https://github.com/o/r/security/secret-scanning/1";
    const alert = { number: 1, secret_type: "postgres", secret: "v", html_url: address };
    expect(wheresOf({ action: "created", alert, repository: { full_name: "o/r" } })).toEqual([address]);
    expect(textsIn({ action: "created", alert })).toContain("v");
    expect(wheresOf([{ token: "v", type: "x", url: "https://github.com/o/r/blob/a/b", source: "content" }])).toEqual([
      "https://github.com/o/r/blob/a/b",
    ]);
    const incident = { id: 1, gitguardian_url: "https://dashboard.gitguardian.com/incidents/1" };
    expect(wheresOf({ source: "GitGuardian", action: "incident_triggered", incident })).toEqual([
      incident.gitguardian_url,
    ]);
  });

  it("anything else is a text, also what only looks like JSON", () => {
    expect(textsOf("[half a value\n")).toEqual([{ where: "the value given", text: "[half a value" }]);
    expect(textsOf("v\n")).toEqual([{ where: "the value given", text: "v" }]);
    expect(wheresOf({ any: { thing: ["v"] } })).toEqual(["the input"]);
  });
});

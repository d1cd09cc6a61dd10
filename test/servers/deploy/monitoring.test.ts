import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parser } from "@prometheus-io/lezer-promql";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { metricsOf } from "../../../cli/operate/metrics";
import type { StackStatus } from "../../../cli/operate/read-status";
import { createProgram } from "../../../cli/program";
import { findOnPath } from "../../../cli/toolchain/find";

const RULES = "deploy/prometheus/secret-rotation.rules.yml";
const text = z.string().min(1);

const rulesFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: text,
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^SecretRotation[A-Z]\w+$/),
          expr: text,
          for: z
            .string()
            .regex(/^\d+[mh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
          annotations: z.strictObject({ summary: text, description: text, command: text }),
        }),
      ),
    }),
  ),
});

const rules = rulesFile.parse(parse(readFileSync(RULES, "utf8"))).groups.flatMap((group) => group.rules);

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly description: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const dashboard = JSON.parse(readFileSync("deploy/grafana/dashboard.json", "utf8")) as Dashboard;
const queries = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));

/** A status in which every metric has a value. */
const status: StackStatus = {
  stack: "prod",
  environment: "prod",
  now: "2026-11-23T09:00:00.000Z",
  logError: null,
  secrets: [
    {
      name: "database/password",
      kind: "postgres-password",
      strategy: "alternating-users",
      store: "vault",
      standing: "ok",
      generation: 3,
      rotatedAt: "2026-11-22T21:00:00.000Z",
      ageDays: 0.5,
      maxAgeDays: 90,
      inUseBefore: null,
      unfinished: null,
      daysLeft: 89.5,
      dueAt: "2027-02-19T21:00:00.000Z",
      lastRow: null,
      window: { opensAt: "2026-12-05T07:00:00.000Z", closesAt: null, opens: null, left: 3, waits: null, alarm: null },
      paused: { until: "2026-12-01T00:00:00.000Z", reason: "audit", isOver: false },
      previous: { generation: 2, revoked: false, validUntil: "2026-11-23T21:00:00.000Z" },
    },
  ],
};

/** The names and labels that the exposition has. */
let exposed: Map<string, Set<string>>;
beforeAll(async () => {
  exposed = new Map();
  const exposition = await metricsOf(status, { valid: true, guarded: true, rows: 9 });
  for (const [, name = "", labels = ""] of exposition.matchAll(/^(\w+)\{(.*)\} \S+$/gm)) {
    exposed.set(name, new Set([...labels.matchAll(/(\w+)="/g)].map(([, label = ""]) => label)));
  }
});

/** The metrics that a query names, each with the labels that it selects by. @throws where it is not PromQL */
function selectorsOf(query: string): { readonly metric: string; readonly labels: readonly string[] }[] {
  const found: { metric: string; labels: string[] }[] = [];
  parser.parse(query).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${query}`);
      const part = query.slice(from, to);
      if (type.name === "VectorSelector") found.push({ metric: "", labels: [] });
      else if (type.name === "Identifier") Object.assign(found.at(-1) ?? {}, { metric: part });
      else if (type.name === "LabelName" && part in { stack: 0, environment: 0, secret: 0, state: 0 })
        found.at(-1)?.labels.push(part);
    },
  });
  return found;
}

function expectExposed(query: string): void {
  const selectors = selectorsOf(query);
  expect(selectors, query).not.toEqual([]);
  for (const { metric, labels } of selectors) {
    expect([...exposed.keys()], query).toContain(metric);
    expect([...(exposed.get(metric) ?? [])], query).toEqual(expect.arrayContaining([...labels]));
  }
}

describe("the alert rules", () => {
  it.each(rules.map((rule) => [rule.alert, rule.expr]))("%s asks for what `rotation metrics` writes", (_, expr) => {
    expectExposed(expr);
  });

  it("each says what to run, and that command exists", () => {
    const names = createProgram().commands.map((command) => command.name());
    for (const { alert, annotations } of rules) {
      const [program, name] = annotations.command.split(" ");
      expect(program === "systemctl" || names.includes(name ?? ""), `${alert}: ${annotations.command}`).toBe(true);
    }
  });

  it("speak of labels that the alerting series has", () => {
    for (const { alert, expr, annotations } of rules) {
      const known = selectorsOf(expr).flatMap(({ metric }) => [...(exposed.get(metric) ?? [])]);
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
      expect(known, alert).toEqual(expect.arrayContaining(used));
    }
  });

  it("have a test of their own each, which holds wherever promtool is installed", async () => {
    const tests = readFileSync(RULES.replace(".yml", ".test.yml"), "utf8");
    const tested = (alert: string) => new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n +- exp_labels`).test(tests);
    expect(rules.filter(({ alert }) => !tested(alert)).map(({ alert }) => alert)).toEqual([]);
    const promtool = await findOnPath("promtool", process.env);
    if (promtool === undefined) return;
    const cwd = "deploy/prometheus";
    await promisify(execFile)(promtool, ["check", "rules", "secret-rotation.rules.yml"], { cwd });
    await promisify(execFile)(promtool, ["test", "rules", "secret-rotation.rules.test.yml"], { cwd });
  });
});

describe("the Grafana dashboard", () => {
  it.each(queries)("%s asks for what `rotation metrics` writes: %s", (_, query) => {
    // Grafana puts the chosen values in their place.
    expectExposed(query.replaceAll(/"\$(stack|environment)"/g, '"prod"'));
  });

  it("offers stacks and environments from a metric that is always there", () => {
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    for (const definition of definitions) {
      const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
      expect([...(exposed.get(metric) ?? [])], definition).toContain(label);
    }
    expect(definitions).toHaveLength(2);
  });

  it("shows every metric, explains every panel, and no panel covers another", () => {
    const shown = new Set(queries.flatMap(([, query]) => selectorsOf(query.replaceAll("$", "")).map((s) => s.metric)));
    const apart = new Set(["secret_rotation_audit_log_rows"]);
    expect([...exposed.keys()].filter((name) => !shown.has(name) && !apart.has(name))).toEqual([]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.filter(({ description }) => description === "")).toEqual([]);
  });
});

describe("the exposition", () => {
  it("has one help and one type a metric, before its samples, and numbers that a scrape takes", async () => {
    const lines = (await metricsOf(status)).split("\n").filter((line) => line !== "");
    const sample = /^(secret_rotation_\w+)\{(\w+="(?:[^"\\\n]|\\["\\n])*",?)+\} -?\d+(\.\d+)?$/;
    for (const [index, line] of lines.entries()) {
      if (line.startsWith("# HELP ")) expect(lines[index + 1]).toBe(`# TYPE ${line.split(" ")[2]} gauge`);
      else if (!line.startsWith("# TYPE ")) expect(line).toMatch(sample);
    }
    const helped = lines.filter((line) => line.startsWith("# HELP")).map((line) => line.split(" ")[2]);
    expect(new Set(helped).size).toBe(helped.length);
    expect(lines).toContain(
      'secret_rotation_age_seconds{stack="prod",environment="prod",secret="database/password"} 43200',
    );
  });

  it("tells a log that cannot be read, and a chain that is broken", async () => {
    const down = await metricsOf({ ...status, logError: "no connection" });
    expect(down).toContain('secret_rotation_audit_log_up{stack="prod",environment="prod"} 0');
    expect(down).not.toContain("secret_rotation_last_failed{");
    const broken = await metricsOf(status, { valid: true, guarded: false, rows: 9 });
    expect(broken).toContain('secret_rotation_audit_chain_valid{stack="prod",environment="prod"} 0');
  });
});

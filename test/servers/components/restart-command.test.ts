import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { restartCheck, restartCommand } from "../../../components/restart-command";
import { parseDuration } from "../../../core/duration";
import { quoted } from "../../../core/shell-word";
import { configWith, parse, problemsOf } from "../../unit/config/example";

const timeout = parseDuration("60s");

describe("restartCommand", () => {
  it("is systemd's unless the config says otherwise", () => {
    expect(restartCommand("orchestrator", { timeout })).toBe("systemctl restart orchestrator");
    expect(restartCommand("orchestrator", { timeout, restart: "supervisorctl restart x" })).toBe(
      "supervisorctl restart x",
    );
    expect(restartCheck("orchestrator", {})).toBeUndefined();
  });

  it("rolls a workload of Kubernetes and waits for it, a little less long than the health gate's limit", () => {
    expect(restartCommand("orchestrator", { timeout, kubernetes: {} })).toBe(
      "kubectl rollout restart deployment/orchestrator && kubectl rollout status deployment/orchestrator --timeout=55s",
    );
    const kubernetes = { context: "gke prod", namespace: "trading", workload: "statefulset/gateway" };
    const kubectl = "kubectl --context 'gke prod' --namespace trading";
    expect(restartCommand("orchestrator", { timeout, kubernetes })).toBe(
      `${kubectl} rollout restart statefulset/gateway && ${kubectl} rollout status statefulset/gateway --timeout=55s`,
    );
    expect(restartCheck("orchestrator", { kubernetes })).toBe(`${kubectl} get statefulset/gateway -o name`);
  });

  it("restarts a service of Docker Compose", () => {
    expect(restartCommand("orchestrator", { timeout, compose: {} })).toBe("docker compose restart orchestrator");
    const compose = { file: "/srv/my trading/compose.yaml", project: "trading", service: "worker" };
    expect(restartCommand("orchestrator", { timeout, compose })).toBe(
      "docker compose --file '/srv/my trading/compose.yaml' --project-name trading restart worker",
    );
  });

  it.each([
    ["lists it", "echo worker", 0, ""],
    ["lists others", "echo orders", 1, "docker compose has no container of a service worker there\n"],
    ["may not be used", "echo permission denied >&2; exit 1", 1, "permission denied\n"],
  ])("looks for a service of Docker Compose: docker %s", async (_, docker, status, output) => {
    const check = restartCheck("worker", { compose: { project: "trading" } });
    // Its own `docker`, as a function of the shell.
    const script = `docker() (${docker})\n${check}`;
    const { exitCode, all } = await execa("sh", ["-c", script], { all: true, reject: false, stripFinalNewline: false });
    expect({ exitCode, all }).toEqual({ exitCode: status, all: output });
  });

  it("quotes what a shell would take apart", async () => {
    for (const text of ["arn:aws:eks:us-east-1:1:cluster/prod", "it's; reboot", "$(reboot)", "a b", "*"]) {
      const { stdout } = await promisify(execFile)("sh", ["-c", `printf %s ${quoted(text)}`]);
      expect(stdout).toBe(text);
    }
  });
});

describe("the config of a restart", () => {
  const service = (more: object) => configWith([["services", "orchestrator"], { health: "http://x/health", ...more }]);

  it("takes one way alone", () => {
    expect(parse(service({ kubernetes: { namespace: "trading" } })).services.orchestrator?.kubernetes).toEqual({
      namespace: "trading",
    });
    expect(problemsOf(service({ compose: {}, restart: "true" }))).toEqual([
      expect.stringContaining("services.orchestrator.compose: expected one way to restart it"),
    ]);
  });

  it("refuses names that are none", () => {
    expect(problemsOf(service({ kubernetes: { workload: "pod/x" } }))).toEqual([
      expect.stringContaining('expected deployment/NAME, statefulset/NAME or daemonset/NAME, found "pod/x"'),
    ]);
    expect(problemsOf(service({ kubernetes: { namespace: "a; reboot" } }))).toHaveLength(1);
    expect(problemsOf(service({ compose: { project: "Trading!" } }))).toHaveLength(1);
  });
});

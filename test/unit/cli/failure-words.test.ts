import { describe, expect, it } from "vitest";
import { pulumiCommand, rotationCommand } from "../../../cli/operate/advice";
import { withoutPlanned } from "../../../cli/operate/engine-events";
import { failureOf } from "../../../cli/operate/failure";
import { clearLocks, locksIn } from "../../../cli/operate/recover";
import { nextSteps } from "../../../cli/operate/run-failure";
import { phaseOf } from "../../../kinds/phases";
import { outline, result, slot, step } from "./words-support";

describe("a failure in words", () => {
  const failed = step(
    "database-password-restart-signal-service-trading-1",
    "command:remote:Command",
    "create-replacement",
    {
      urn: "secret-rotation:index:RollingRestart$",
    },
  );

  it("leaves out the script that the provider prints", () => {
    const text =
      'Process exited with status 1: running "set -u\\necho \\"x\\"; exit 1":\nsignal-service is not healthy';
    const failure = failureOf(
      result([], { ok: false, failedStep: failed, errors: [{ text, resource: failed.name }] }),
      outline,
    );
    expect(failure).toMatchObject({
      secret: "database/password",
      phase: "restart",
      reason: "signal-service is not healthy",
    });
    expect(phaseOf(failed)).toBe("restart");
  });

  it("leaves out the values that the engine prints if an update is not what was planned", () => {
    const said =
      'resource urn:x::preflight-checks violates plan: properties changed: ~~stdin[{&{{{"password":"hunter22"}}}}!={&{{{"password":"hunter23"}}}}], ++triggers[{[{a}]}]';
    expect(withoutPlanned(said)).toBe(
      "resource urn:x::preflight-checks violates plan: properties changed: stdin, triggers",
    );
    const guarded =
      "resource urn:x::database-password violates plan: ignoreChanges changed: added secret-config-1f0c, state-1234567890ab; deleted secret-config-9b27, state-ba0987654321";
    expect(withoutPlanned(guarded)).toBe(
      "secret config and state changed between the preview and the update: run it again",
    );
    expect(withoutPlanned("something else, ~~stdin[x]")).toBe("something else, ~~stdin[x]");
  });

  it("tells how far an update came whose state could not be saved: no step of it fails", () => {
    const steps = [
      step("database-password-role-a", "postgresql:index/role:Role", "update"),
      step("database-password-database-username", "command:local:Command", "update", {
        newInputs: { create: "node dist/steps/store-write.mjs secret/paper/database/username" },
      }),
      step("other-password-slot-a-password", "random:index/randomPassword:RandomPassword", "create-replacement"),
      step("database-password-restart-signal-service-trading-1", "command:remote:Command", "same"),
    ];
    const text =
      "post-step event returned an error: failed to save snapshot: write paper.json: no space left on device";
    const failure = failureOf(result(steps, { ok: false, errors: [{ text, resource: undefined }] }), outline);
    expect(failure).toMatchObject({ secret: "database/password", phase: "store" });
    const context = { project: { dir: process.cwd(), stack: "paper" }, again: "rotation run" } as never;
    const next = nextSteps(
      { secret: "database/password", failure, begun: true, target: 1, situations: [] },
      context,
      false,
    );
    expect(next[0]).toContain("# free disk space where the state is kept");
    expect(next[1]).toContain("rotation run --stack paper   #");
  });
});

describe("locks", () => {
  const message = (pid: number, host: string) =>
    `the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.\n  file:///x/1.json: created by root@${host} (pid ${pid}) at 2026-11-23T08:00:00Z`;

  it("are read out of Pulumi's words", () => {
    expect(locksIn(message(4711, "ci"))).toEqual([
      { username: "root", hostname: "ci", pid: 4711, timestamp: "2026-11-23T08:00:00Z" },
    ]);
    expect(locksIn("something else")).toEqual([]);
  });

  it("of a machine that cannot be looked at are never taken away", async () => {
    const cancel = () => Promise.reject(new Error("must not be called"));
    await expect(
      clearLocks({ cancel }, locksIn(message(1, "another-machine")), { dir: process.cwd(), stack: "paper" }),
    ).rejects.toThrow(/root@another-machine/);
  });
});

describe("what stopped an update", () => {
  const restart = step("database-password-restart-signal-service-trading-1", "command:remote:Command", "create", {
    urn: "secret-rotation:index:RollingRestart$",
  });

  it("is a signal if one came, at the step that had begun", () => {
    const steps = [slot("create-replacement", "0", "2"), restart];
    const failure = failureOf(result(steps, { ok: false, interrupted: true, unfinished: [restart] }), outline);
    expect(failure).toMatchObject({
      secret: "database/password",
      phase: "restart",
      reason: "interrupted at database-password-restart-signal-service-trading-1",
    });
  });

  it("is the error of the resource that failed, and not the first of all", () => {
    const errors = [
      { text: "warning: something else\nanother secret's matter", resource: "other-password-role" },
      {
        text: 'exit status 1: running "x":\n(node:1) DeprecationWarning: old\nsignal-service on trading-1 is ill',
        resource: restart.name,
      },
    ];
    expect(failureOf(result([restart], { ok: false, failedStep: restart, errors }), outline).reason).toBe(
      "signal-service on trading-1 is ill",
    );
  });

  it("is said to be unknown if nobody said anything", () => {
    expect(failureOf(result([], { ok: false }), outline)).toMatchObject({
      reason: "the engine ended and gave no reason",
      phase: undefined,
    });
  });

  it("what is advised finishes what was begun, or repeats the command if nothing was", () => {
    const context = {
      project: { dir: process.cwd(), stack: "paper" },
      again: "rotation run a/b --yes",
      yes: true,
    } as never;
    const failure = failureOf(result([], { ok: false }), outline);
    const about = { secret: "a/b", failure, target: 1, situations: [] };
    expect(nextSteps({ ...about, begun: true }, context, false)).toEqual([
      "rotation run --yes --stack paper   # finishes it",
      'rotation rollback a/b --reason "the previous update was interrupted or failed" --yes --stack paper   # or goes back to generation 1',
      "rotation diagnose --stack paper   # checks the platform from the outside",
    ]);
    expect(nextSteps({ ...about, begun: true }, context, true)).toHaveLength(2);
    expect(nextSteps({ ...about, begun: false }, context, false)[1]).toBe("rotation run a/b --yes");
  });

  it("names what must come first if the database answered no login, as after a failover", () => {
    const context = { project: { dir: process.cwd(), stack: "paper" }, again: "", yes: false } as never;
    const failure = failureOf(result([], { ok: false }), outline);
    const login = { generation: 1, name: "trader_b", of: "database" };
    const next = (...answers: readonly unknown[]) =>
      nextSteps(
        {
          ...{ secret: "a/b", failure, target: 1, begun: true },
          situations: [{ logins: answers.map((answer) => ({ ...login, answer })) }] as never,
        },
        context,
        false,
      );
    const [first, second] = next({ unseen: "connect ECONNREFUSED" }, { unseen: "connect ECONNREFUSED" });
    expect(first).toBe(
      "# make the database reachable again, or after a failover name the new primary in the config (`database`); then:",
    );
    expect(second).toContain("rotation run --stack paper");
    expect(next({ unseen: "connect ECONNREFUSED" }, "works")[0]).toContain("rotation run --stack paper");
    expect(next()[0]).toContain("rotation run --stack paper");
  });

  it("commands name the folder if they are not run in it", () => {
    const project = { dir: "/srv/it's here", stack: "paper" };
    expect(rotationCommand(project, "run", "/srv/it's here/docs")).toBe("rotation run --stack paper");
    expect(rotationCommand(project, "run", "/home")).toBe("rotation run --stack paper --cwd '/srv/it'\\''s here'");
    expect(pulumiCommand(project, "cancel --yes", "/home")).toBe(
      "pulumi cancel --yes --stack paper -C '/srv/it'\\''s here'",
    );
  });
});

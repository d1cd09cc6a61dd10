import { expect, it } from "vitest";
import type { Fault } from "../../../dev/lab/services/types";
import { auditRows, stored, up } from "../harness";
import { type FaultCase, faultMatrix, nextDue } from "./matrix";
import type { World } from "./world";

/** Once the store has the new password: the preflight has passed, and no service was restarted yet. */
function onceStored({ vault }: World, run: () => Promise<unknown>): void {
  const when = ({ method, path }: { method: string; path: string }) =>
    method !== "GET" && path === "/v1/secret/data/paper/database/password";
  vault.inject({ when, times: 1, fault: { first: run } });
}

const service =
  (name: string, fault: Fault): FaultCase["breaks"] =>
  async (world) => {
    const [host] = world.lab.hosts;
    onceStored(world, async () => host?.setFault(name, fault));
    return async () => {
      world.vault.clear();
      await host?.setFault(name, undefined);
    };
  };

const NEXT = "Fix it (see its log) and run this again, which continues here; or roll back.";
const STORED = { role: true, stored: true } as const;

const CASES: Record<string, FaultCase> = {
  "the first service never becomes healthy": {
    breaks: service("signal-service", { kind: "never-healthy" }),
    says: [
      'signal-service on trading-1 was restarted but is not healthy after 15 s; its last answer: {"status":"unhealthy"',
      NEXT,
    ],
    reached: { ...STORED, restarts: 1 },
  },
  "the second service flaps": {
    breaks: service("orchestrator", { kind: "flaps", everyOther: true }),
    says: ["orchestrator on trading-1 was restarted but is not healthy after 15 s", "never 3 times in a row", NEXT],
    reached: { ...STORED, restarts: 2 },
  },
  "a service answers with a page": {
    breaks: service("signal-service", { kind: "html" }),
    says: ["its last answer: <html><body>It works!</body></html> (HTTP 200)", NEXT],
    reached: { ...STORED, restarts: 1 },
  },
  "a service takes the connection and hangs": {
    breaks: service("signal-service", { kind: "hangs" }),
    says: [
      /signal-service on trading-1 was restarted but is not healthy after 15 s; its last answer: .*timed out/,
      NEXT,
    ],
    reached: { ...STORED, restarts: 1 },
  },
  "a service is healthy, for its restart restarted nothing": {
    sample: true,
    breaks: service("signal-service", { kind: "not-restarted" }),
    says: [
      "signal-service on trading-1 still runs as the process that was started at 20",
      "the restart command restarted nothing, and it may hold the old credential",
      "services.signal-service.restart",
    ],
    reached: { ...STORED, restarts: 1 },
  },
  "SSH is refused after the preflight": {
    by: "rotation",
    breaks: async (world) => {
      onceStored(world, () => world.ssh.setFault("refuse"));
      return async () => {
        world.vault.clear();
        await world.ssh.setFault(undefined);
      };
    },
    says: [/connection refused/, /Store:\s+generation\s+\d+\./, /not\s+restarted/, "rotation run"],
    reached: STORED,
  },
  "SSH hangs after the preflight": {
    by: "rotation",
    breaks: async (world) => {
      onceStored(world, () => world.ssh.setFault("hang"));
      return async () => {
        world.vault.clear();
        await world.ssh.setFault(undefined);
      };
    },
    says: [/i\/o timeout|Timed out|handshake/, /Store:\s+generation\s+\d+\./, "rotation run"],
    reached: STORED,
  },
  "SSH hangs before anything": {
    breaks: async ({ ssh }) => {
      await ssh.setFault("hang");
      return () => ssh.setFault(undefined);
    },
    says: [
      "nothing was changed",
      /host trading-1: deploy@\S+ \(hosts\.trading-1\) cannot be reached: .*Try it by hand: `ssh -p \d+ deploy@/,
    ],
    reached: {},
  },
  "the audit log's database is down at the end": {
    sample: true,
    breaks: async (world) => {
      const when = ({ path }: { path: string }) => path === "/v1/secret/metadata/paper/database/password";
      world.vault.inject({ when, times: 1, fault: { first: () => world.audit.setFault("refuse") } });
      return async () => {
        world.vault.clear();
        await world.audit.setFault(undefined);
      };
    },
    says: [
      /ROTATE of database\/password \(generation \d+\) is done and in use; only its row in secret_rotation_log is missing: /,
      "Fix that and run `pulumi up` again: it writes the row and nothing else.",
    ],
    reached: { ...STORED, restarts: 2 },
  },
};

const oldCredential = (world: () => World) =>
  it("a service that answers healthy with the old credential is named by its sessions, and is in the row", async () => {
    const { lab } = world();
    await nextDue(world());
    const [user, password] = [await stored(world(), "database/username"), await stored(world(), "database/password")];
    const versions = { "paper/database/username": user.version, "paper/database/password": password.version };
    const fault = service("orchestrator", { kind: "old-credential", versions });
    const mend = await fault(world());
    const { stdout } = await up(world());
    await mend();
    expect(await lab.health("orchestrator")).toMatchObject({ status: "healthy", database: { user: user.value } });
    const warning = new RegExp(`sessions? ha(s|ve) logged in as ${user.value} since the new login was proven`);
    expect(stdout).toMatch(warning);
    expect((await auditRows(world())).at(-1)).toMatchObject({
      action: "ROTATE",
      outputs: { warnings: [expect.stringMatching(warning)] },
    });
    await lab.hosts[0]?.systemctl("restart", "orchestrator");
    await lab.healthy();
  });

faultMatrix("services, hosts, audit log", CASES, { more: oldCredential });

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSection } from "../../../dev/bench/proof";
import type { Fault } from "./fault";
import { FAULTS } from "./faults";
import { type Platform, platforms, rotateTo } from "./platforms";
import { noStage, Stage } from "./stage";

const missing = noStage();
if (missing !== undefined) console.warn(`skipped: the rehearsal; ${missing}`);

// `npm run prove -- rehearsal`: every fault, 100 platforms, and the page's section. A plain test run takes a sample.
const isProof = process.env.PROOF === "1";
const faults = isProof ? FAULTS : FAULTS.filter((_, index) => index % 3 === 0);
const PLATFORMS = isProof ? 100 : 4;

const source = (pattern: RegExp | string) =>
  typeof pattern === "string" ? pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&") : pattern.source;

describe.skipIf(missing !== undefined)("a rehearsal", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  const named: string[] = [];
  const seen = { rotations: 0, refused: 0, rows: 0, alarms: 0 };
  afterAll(async () => {
    await stage?.close();
    if (isProof) await writeSection("rehearsal", section());
  });

  const section = () =>
    [
      `**rehearsal: ${named.length} of ${faults.length} faults named, by reader and path, before anything was written or restarted;`,
      `${seen.alarms} false alarms in ${seen.rotations} rotations of random platforms without a fault (${seen.rows} readers and paths;`,
      `${seen.refused} more platforms have what cannot be carried over, and the preflight refused them before)**`,
      "",
      `Faults: ${named.join("; ")}.`,
      "",
      `Seen on ${new Date().toISOString().slice(0, 10)} with Node.js ${process.version}.`,
    ].join("\n");

  const expected = ({ names: [reader, path, what] }: Fault) => {
    const at = path
      .replace("STANDBY", String(stage.standbyPort))
      .replace("POOLER", String(stage.pooler.port))
      .replace("PRIMARY", String(stage.primary.port));
    return new RegExp(`^(?:.*changed for one: )?${source(reader)} over ${source(at)}: .*${what.source}`, "s");
  };
  /** The rows of a message: what is said of one reader must not be found in what is said of the next. */
  const rowsIn = (message: string) => message.split(/; (?=[\w, -]+ over [\w.:-]+: )/);
  const clean = async () => {
    await stage.caughtUp();
    const found = await stage.run();
    if (typeof found === "string") throw new Error(found);
    return found;
  };

  it("finds nothing on a platform without a fault, and sees each host's own address", async () => {
    const { rehearsal, warnings } = await clean();
    expect(warnings).toBeUndefined();
    expect(rehearsal.map(({ verdict }) => verdict)).toEqual(rehearsal.map(() => "ok"));
    expect(rehearsal).toHaveLength(3 + 2 + 3 + 3);
    const at = (reader: string, path: string) => rehearsal.find((row) => row.reader === reader && row.path === path);
    expect(at("signal-service on trading-2", "primary")?.login).toBe("trader_b logs in from 127.0.0.3");
    expect(at("execution-gateway on trading-1", "primary")?.login).toBe("trader_b logs in from 127.0.0.2");
    expect(at("execution-gateway on trading-1", "store")?.store).toBe("database/password version 1");
    expect(at("signal-service on trading-2", "primary")?.rights).toMatch(
      /^as trader_a: \d+ settings, 3 roles, rights in 2 schemas$/,
    );
  });

  it("goes through a command if the config says so, with TLS that ends at the server", async () => {
    const given = stage.input();
    const relay = "bash -c 'exec 3<>/dev/tcp/{host}/{port}; cat <&3 & cat >&3'";
    given.places = given.places.map(({ readers, ...place }) => ({
      ...place,
      readers: readers.map((reader) => ({ ...reader, relay })),
    }));
    const found = await stage.run(given);
    if (typeof found === "string") throw new Error(found);
    expect(found.rehearsal).toHaveLength(11);
    expect(new Set(found.rehearsal.map(({ verdict }) => verdict))).toEqual(new Set(["ok"]));
    const broken = stage.input();
    for (const { readers } of broken.places)
      for (const reader of readers) reader.relay = "echo no such cluster >&2; exit 1";
    const said = await stage.run(broken);
    expect(said).toMatch(/signal-service on trading-2 over primary: .*no such cluster/);
    expect(said).toMatch(/reporting on this machine over primary: .*no such cluster/);
  });

  it("warns if a host forwards nothing, and of differences if waiting would be worse", async () => {
    await stage.stopHost("trading-2");
    await stage.startHost("trading-2", false);
    await stage.sql("ALTER ROLE trader_b SET statement_timeout TO 1000");
    const found = await stage.run({ ...stage.input(), strict: false });
    await stage.sql("ALTER ROLE trader_b SET statement_timeout TO 29000");
    await stage.stopHost("trading-2");
    await stage.startHost("trading-2");
    if (typeof found === "string") throw new Error(found);
    const about = (text: RegExp) => found.warnings?.filter((warning) => text.test(warning)) ?? [];
    expect(about(/^not rehearsed: signal-service on trading-2 over .*AllowTcpForwarding/)).toHaveLength(3);
    expect(about(/^rehearsal: .*statement_timeout/).length).toBeGreaterThan(0);
    await clean();
  });

  it("warns if neither login gets to the database from a host whose ways the config does not name", async () => {
    const { blocked, primary, standbyPort, pooler } = stage;
    for (const port of [primary.port, standbyPort, pooler.port]) blocked.add(`trading-2 ${port}`);
    const found = await stage.run(stage.input());
    blocked.clear();
    if (typeof found === "string") throw new Error(found);
    const about = found.warnings?.filter((warning) => /^not rehearsed: .* on trading-2 over /.test(warning)) ?? [];
    expect(about).toHaveLength(3);
    for (const warning of about)
      expect(warning).toMatch(/neither can trader_a; its services go another way: say which/);
    await clean();
  });

  it.each(faults)("names it before anything changes: $name", async (fault) => {
    await fault.inject(stage);
    try {
      const given = stage.input();
      fault.input?.(given, stage);
      const found = await stage.run(given);
      const rows = typeof found === "string" ? rowsIn(found) : [];
      expect(rows, JSON.stringify(found)).toContainEqual(expect.stringMatching(expected(fault)));
      named.push(fault.name);
    } finally {
      await fault.undo(stage);
    }
    await clean();
  });

  it("raises no alarm on a platform without a fault", { timeout: isProof ? 3_600_000 : 600_000 }, async () => {
    await stage.hba(["host all all 127.0.0.0/8 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"]);
    await stage.standbyHba(["host all all 127.0.0.0/8 scram-sha-256"]);
    let count = 0;
    const one = async (platform: Platform) => {
      const found = await rotateTo(stage, platform, ++count);
      // The preflight refuses what cannot be carried over: nothing is rehearsed then.
      if (found === undefined) return void seen.refused++;
      seen.rotations++;
      if (typeof found === "string" || found.warnings !== undefined) seen.alarms++;
      expect(found, JSON.stringify({ platform, found })).toBeTypeOf("object");
      if (typeof found === "string") return;
      expect(found.warnings).toBeUndefined();
      expect(found.rehearsal.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
      seen.rows += found.rehearsal.length;
    };
    const run = fc.sample(platforms, { seed: 20261130, numRuns: 10 * PLATFORMS });
    for (const platform of run) if (seen.rotations < PLATFORMS) await one(platform);
    expect(seen).toMatchObject({ rotations: PLATFORMS, alarms: 0 });
  });
});

import { randomBytes } from "node:crypto";
import type pg from "pg";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { withClient } from "../../../audit/connection";
import { recordEntry } from "../../../audit/log";
import { migrate } from "../../../audit/migrate";
import { hasFailedSince, listEvents, recordEvent } from "../../../audit/outbox";
import { deliverTo } from "../../../cli/operate/events/deliver";
import { recordTimed } from "../../../cli/operate/events/timers";
import type { EventTargetConfig } from "../../../config";
import { PREFLIGHT_TYPE } from "../../../core/begun";
import { type CloudEvent, cloudEvent, EVENT_TYPES, failedData, finishedData } from "../../../core/events";
import { DEFAULT_POLICY } from "../../../core/policy";
import { type Receiver, startReceiver } from "../../../dev/lab/receiver";
import { type Smtp, startSmtp } from "../../../dev/lab/smtp";
import { entry, sql, startTestServer, type TestServer } from "../audit/database";

const SECRET = `whsec_${randomBytes(32).toString("base64")}`;
const ABOUT = { stack: "prod", environment: "prod" };
const facts = { ...ABOUT, secret: "database/password", action: "ROTATE" as const, generation: 3, reason: "age" };

let tests: TestServer;
beforeAll(async () => {
  tests = await startTestServer();
});
afterAll(() => tests?.stop());

let receiver: Receiver;
let connection: pg.ClientConfig;
beforeEach(async () => {
  [receiver, connection] = await Promise.all([startReceiver(), tests.database()]);
  await migrate(connection);
});
afterEach(() => receiver?.stop());

/** Writes events of one receiver or several, in this order; each with another generation. */
const record = (count: number, targets = ["siem"], from = 0) =>
  withClient(connection, async (client) => {
    for (let index = 0; index < count; index++) {
      const generation = from + index;
      const data = finishedData({ ...facts, generation }, { auditRow: generation + 1, durationSeconds: 1 });
      await recordEvent(client, { type: "finished", time: new Date(), data, targets });
    }
  });

const webhook = (): EventTargetConfig => ({
  kind: "webhook",
  url: receiver.url,
  secret: SECRET,
  types: [...EVENT_TYPES],
});

const deliver = (target = webhook(), name = "siem") =>
  deliverTo(target, { ...ABOUT, target: name }, connection, [receiver.url, SECRET]);

const generations = () => receiver.taken<CloudEvent>().map(({ data }) => data.generation);

const open = async () =>
  (await withClient(connection, (client) => listEvents(client, ABOUT, 100))).flatMap(({ deliveries }) =>
    deliveries.filter(({ deliveredAt }) => deliveredAt === null),
  );

describe("a signed webhook", () => {
  it("gets a CloudEvent that the receiver's own library accepts, and no other key", async () => {
    await record(1);
    expect(await deliver()).toEqual([expect.objectContaining({ target: "siem", outcome: "sent" })]);
    const [{ headers, text } = { headers: {}, text: "" }] = receiver.requests();
    expect(headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    const plain = headers as Record<string, string>;
    const event = new Webhook(SECRET).verify(text, plain);
    expect(cloudEvent.parse(event)).toMatchObject({
      ...{ type: "secret-rotation.finished", data: { ...facts, generation: 0 } },
    });
    expect(plain["webhook-id"]).toBe((event as CloudEvent).id);
    expect(() => new Webhook(`whsec_${randomBytes(32).toString("base64")}`).verify(text, plain)).toThrow();
    expect(() => new Webhook(SECRET).verify(text.replace("age", "ages"), plain)).toThrow();
    expect(await deliver()).toEqual([]);
  });

  it("answers 500 and then takes it: one delivery, the same id in both attempts", async () => {
    await record(2);
    receiver.setFault({ statuses: [500, 503] });
    expect((await deliver()).map(({ outcome }) => outcome)).toEqual(["sent", "sent"]);
    expect(receiver.requests().map(({ status }) => status)).toEqual([500, 503, 204, 204]);
    expect(new Set(receiver.requests().map(({ headers }) => headers["webhook-id"])).size).toBe(2);
    expect(generations()).toEqual([0, 1]);
  });

  it.each([400, 302, 401, 500])(
    "answers %i for good: the later events wait, and the message shows no secret",
    async (status) => {
      await record(2);
      receiver.setFault({ statuses: Array(9).fill(status) });
      const [failed, ...more] = await deliver();
      expect(more).toEqual([]);
      expect(failed?.error).toContain(`the receiver did not accept the message: ${status}`);
      const kept = await open();
      expect(kept.map(({ attempts }) => attempts).sort()).toEqual([0, 1]);
      expect(JSON.stringify([failed, kept])).not.toMatch(/hooks|whsec/);
      receiver.setFault(undefined);
      await deliver();
      expect(generations()).toEqual([0, 1]);
      expect(await open()).toEqual([]);
    },
  );

  it("hangs: one attempt of ten seconds, and another receiver is not held up", async () => {
    const other = await startReceiver();
    try {
      await record(2, ["siem", "ops"]);
      receiver.setFault({ hangs: true });
      const both = await Promise.all([
        deliver(),
        deliver({ ...webhook(), url: other.url } as EventTargetConfig, "ops"),
      ]);
      expect(both[0]).toEqual([expect.objectContaining({ error: expect.stringContaining("no answer within 10 s") })]);
      expect(other.taken()).toHaveLength(2);
    } finally {
      await other.stop();
    }
    receiver.setFault(undefined);
    expect(await deliver()).toHaveLength(2);
  });

  it("is down while events come, and gets all of them later in their order", async () => {
    await receiver.stop();
    for (let round = 0; round < 3; round++) {
      await record(2, ["siem"], round * 2);
      expect(await deliver()).toEqual([expect.objectContaining({ outcome: "failed" })]);
    }
    await receiver.restart();
    expect(await deliver()).toHaveLength(6);
    expect(generations()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("the outbox", () => {
  it("is emptied by two runners at once, each event once and in order", async () => {
    await record(12);
    const [one, two] = await Promise.all([deliver(), deliver()]);
    expect(one.length + two.length).toBe(12);
    expect(generations()).toEqual([...Array(12).keys()]);
  });

  it("sends again what was sent before its mark was written: at least once", async () => {
    await record(1);
    await sql(connection, "ALTER TABLE secret_rotation_deliveries ADD CONSTRAINT full_disk CHECK (attempts = 0)");
    await expect(deliver()).rejects.toThrow("full_disk");
    await sql(connection, "ALTER TABLE secret_rotation_deliveries DROP CONSTRAINT full_disk");
    await deliver();
    expect(generations()).toEqual([0, 0]);
    expect(new Set(receiver.taken<CloudEvent>().map(({ id }) => id)).size).toBe(1);
  });

  it("has an event with its audit row or neither, and none for a row that is there already", async () => {
    const written = (step: string) =>
      recordEntry(connection, entry(step), ({ id }) => ({
        ...{ type: "finished", time: new Date(), targets: ["siem"] },
        data: finishedData(facts, { auditRow: id, durationSeconds: null }),
      }));
    const { id } = await written("a");
    await written("a");
    await sql(connection, "ALTER TABLE secret_rotation_events ADD CONSTRAINT no_more CHECK (id < 2)");
    await expect(written("b")).rejects.toThrow("no_more");
    const { rows } = await sql(connection, "SELECT step_key FROM secret_rotation_log");
    expect(rows).toEqual([{ step_key: "a" }]);
    await deliver();
    expect(receiver.taken<CloudEvent>().map(({ data }) => data.auditRow)).toEqual([id]);
  });

  it("has a timer's event once, and nothing that nobody gets", async () => {
    await withClient(connection, async (client) => {
      const data = failedData(facts, { at: null });
      const event = { type: "overdue" as const, time: new Date(), data, occasion: "prod database/password 3 overdue" };
      expect(await recordEvent(client, { ...event, targets: [] })).toBe(false);
      expect(await recordEvent(client, { ...event, targets: ["siem", "ops"] })).toBe(true);
      expect(await recordEvent(client, { ...event, targets: ["siem"] })).toBe(false);
      expect(await hasFailedSince(client, { ...ABOUT, secret: facts.secret }, "2020-01-01T00:00:00Z")).toBe(false);
    });
    expect(await open()).toHaveLength(2);
  });

  it("has one failure of an update that ended without a word, an hour later, and none of one that was recorded", async () => {
    const began = "2026-11-23T02:00:00.000Z";
    const state = {
      slots: [0, 1],
      active: 1,
      labels: [null, null],
      step: { sequence: 2, action: "ROTATE", generation: 1, reason: "", at: began },
    };
    const evidence: Parameters<typeof recordTimed>[2] = {
      stack: "prod",
      outline: {
        ...{
          environment: "prod",
          policy: DEFAULT_POLICY,
          secrets: [
            { kind: "postgres-password", strategy: "alternating-users", name: "database/password", restart: [] },
          ],
        },
        events: { siem: webhook() },
      } as never,
      outputs: {},
      reminders: [],
      resources: [{ type: PREFLIGHT_TYPE, outputs: { secret: "database/password", state } }],
    };
    const minutesLater = (minutes: number) =>
      withClient(connection, (client) => recordTimed(client, new Date(Date.parse(began) + minutes * 60_000), evidence));
    expect([await minutesLater(59), await minutesLater(61), await minutesLater(200)]).toEqual([0, 1, 0]);
    await deliver();
    expect(receiver.taken<CloudEvent>()[0]?.data.reason).toContain(`the update that began at ${began} was interrupted`);

    await sql(connection, "DELETE FROM secret_rotation_events");
    await withClient(connection, (client) =>
      recordEvent(client, {
        type: "failed",
        time: new Date(Date.parse(began) + 1),
        data: failedData(facts, {}),
        targets: ["siem"],
      }),
    );
    expect(await minutesLater(300)).toBe(0);
  });

  it("does not try for ever: an event of eight days ago stays, and is not sent", async () => {
    await record(1);
    await sql(connection, "UPDATE secret_rotation_events SET recorded_at = now() - interval '8 days'");
    expect(await deliver()).toEqual([]);
    expect(await open()).toEqual([expect.objectContaining({ expired: true })]);
  });

  it("lets the run's login write and mark events, and change nothing else", async () => {
    await sql(connection, "CREATE ROLE pipeline LOGIN PASSWORD 'pipeline' IN ROLE rotation_audit_writer").catch(
      () => undefined,
    );
    const own = connection;
    connection = { ...connection, user: "pipeline", password: "pipeline" };
    await record(1);
    expect(await deliver()).toHaveLength(1);
    for (const text of [
      "UPDATE secret_rotation_events SET data = '{}'",
      "DELETE FROM secret_rotation_events",
      "DELETE FROM secret_rotation_deliveries",
      "UPDATE secret_rotation_deliveries SET target = 'me'",
      "TRUNCATE secret_rotation_events CASCADE",
    ]) {
      await expect(sql(connection, text), text).rejects.toThrow("permission denied");
    }
    connection = own;
  });
});

describe("presets", () => {
  const send = async (target: EventTargetConfig) => {
    await record(1, ["people"]);
    const done = await deliver(target, "people");
    expect(done).toEqual([expect.objectContaining({ outcome: "sent" })]);
    return JSON.parse(receiver.requests().at(-1)?.text ?? "{}");
  };
  const types = [...EVENT_TYPES];

  it("Slack gets blocks", async () => {
    const body = await send({ kind: "slack", url: receiver.url, types });
    expect(body.text).toBe("database/password (prod): rotated to generation 0");
    expect(body.blocks[0]).toMatchObject({ type: "header" });
  });

  it("Teams gets an Adaptive Card whose text is no Markdown of others", async () => {
    const body = await send({ kind: "teams", url: receiver.url, types });
    const [{ contentType, content }] = body.attachments;
    expect(contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(content).toMatchObject({ type: "AdaptiveCard", version: "1.4" });
    expect(content.body[0].text).toContain("database/password (prod)");
  });

  it("PagerDuty gets an incident of a failure, and its end by the same key", async () => {
    const target: EventTargetConfig = { kind: "pagerduty", url: receiver.url, routingKey: "r0uting-key", types };
    const resolved = await send(target);
    expect(resolved).toMatchObject({ event_action: "resolve", routing_key: "r0uting-key" });
    await withClient(connection, (client) =>
      recordEvent(client, {
        ...{ type: "failed", time: new Date("2026-11-23T02:00:00Z"), targets: ["people"] },
        data: failedData({ ...facts, reason: "orchestrator is unhealthy" }, { phase: "restart" }),
      }),
    );
    await deliver(target, "people");
    const opened = JSON.parse(receiver.requests().at(-1)?.text ?? "{}");
    expect(opened).toMatchObject({
      event_action: "trigger",
      dedup_key: resolved.dedup_key,
      payload: {
        summary: "database/password (prod): a rotation FAILED (restart)",
        severity: "critical",
        timestamp: "2026-11-23T02:00:00.000Z",
        component: "database/password",
        class: "failed",
      },
    });
  });

  it("e-mail goes to each recipient", async () => {
    const smtp: Smtp = await startSmtp();
    try {
      await record(1, ["people"]);
      const { host, port, user, password } = smtp;
      await deliver(
        {
          ...{ kind: "email", host, port, user, password, encryption: "starttls", verifyCertificate: false, types },
          ...{ from: "rotation@example.org", to: ["ops@example.org", "desk@example.org"] },
        },
        "people",
      );
      expect(smtp.messages().flatMap(({ to }) => to)).toEqual(["ops@example.org", "desk@example.org"]);
    } finally {
      await smtp.stop();
    }
  });
});

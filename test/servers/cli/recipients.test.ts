import type pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withClient } from "../../../audit/connection";
import { migrate } from "../../../audit/migrate";
import { sendMail } from "../../../cli/operate/events/mail";
import { recipientsOf } from "../../../cli/operate/events/recipients";
import type { Reminder } from "../../../cli/operate/reminders/kinds";
import { undelivered } from "../../../cli/operate/reminders/ledger";
import { deliverAll, deliveriesOf } from "../../../cli/operate/reminders/remind";
import { messageOf } from "../../../cli/operate/reminders/words";
import { type Smtp, startSmtp } from "../../../dev/lab/smtp";
import { sql, startTestServer, type TestServer } from "../audit/database";

const [OPS, DESK] = ["ops@example.org", "Desk@example.org"];

let tests: TestServer;
let smtp: Smtp;
beforeAll(async () => {
  [tests, smtp] = await Promise.all([startTestServer(), startSmtp()]);
});
afterAll(() => Promise.all([tests?.stop(), smtp?.stop()]));

const reminder: Reminder = {
  secret: "database/password",
  generation: 1,
  kind: "warning",
  stack: "prod",
  environment: "prod",
  at: "2026-04-01T00:00:00.000Z",
  ageDays: 85,
  maxAgeDays: 90,
  supply: undefined,
  reason: null,
};

/** A log of its own, and what `rotation remind` does with it. */
async function ledger() {
  const connection: pg.ClientConfig = await tests.database();
  await migrate(connection);
  const email = (to: string[]) => ({
    host: smtp.host,
    port: smtp.port,
    encryption: "starttls" as const,
    verifyCertificate: false,
    user: smtp.user,
    password: smtp.password,
    from: "Rotation <rotation@example.org>",
    to,
  });
  const remind = async (to: string[] = [OPS, DESK]) => {
    const before = smtp.messages().length;
    const sent = await withClient(connection, async (client) => {
      const open = await undelivered(client, deliveriesOf([reminder], { email: email(to) }));
      return deliverAll(client, open, {
        now: new Date(),
        secrets: [smtp.password],
        nameRecipients: to.length > 1,
        send: ({ recipient = "" }) => sendMail(email(to), messageOf(reminder), recipient),
      });
    });
    const arrived = smtp.messages().slice(before);
    return {
      told: sent.map(({ recipient, outcome }) => `${recipient}: ${outcome}`),
      errors: sent.flatMap(({ error = [] }) => error),
      arrived: arrived.flatMap(({ to: taken }) => taken),
      raw: arrived.map(({ raw }) => raw).join(),
    };
  };
  return { remind, connection };
}

it("one of two is refused: the other is notified once, and the refused one is tried again alone until it is taken", async () => {
  const { remind } = await ledger();
  smtp.setFault({ refuse: { [DESK]: 550 } });
  const first = await remind();
  expect(first.told).toEqual([`${OPS}: sent`, `${DESK}: failed`]);
  expect(first.errors).toEqual([expect.stringMatching(/did not accept the mail: .*550/)]);
  expect(first.arrived).toEqual([OPS]);
  expect(first.raw).toContain(`To: ${OPS}, ${DESK}`);
  expect((await remind()).told).toEqual([`${DESK}: failed`]);
  smtp.setFault({ refuse: { [DESK]: 451 } });
  expect((await remind()).told).toEqual([`${DESK}: failed`]);
  smtp.setFault(undefined);
  expect(await remind()).toMatchObject({ told: [`${DESK}: sent`], arrived: [DESK] });
  expect(await remind()).toMatchObject({ told: [], arrived: [] });
});

it("all are refused, for a while or for good, and none of them is lost", async () => {
  for (const fault of [
    { refuse: { [OPS]: 450, [DESK]: 550 } },
    { code: 451 },
    { code: 550 },
    { drop: true as const },
  ]) {
    const { remind } = await ledger();
    smtp.setFault(fault);
    expect(await remind()).toMatchObject({ told: [`${OPS}: failed`, `${DESK}: failed`], arrived: [] });
    smtp.setFault(undefined);
    expect((await remind()).arrived).toEqual([OPS, DESK]);
  }
});

it("the connection dies after a recipient was taken: that one is tried again, and the other is not", async () => {
  const { remind } = await ledger();
  smtp.setFault({ dropAfter: [OPS] });
  expect(await remind()).toMatchObject({ told: [`${OPS}: failed`, `${DESK}: sent`], arrived: [DESK] });
  smtp.setFault(undefined);
  expect(await remind()).toMatchObject({ told: [`${OPS}: sent`], arrived: [OPS] });
});

it("a refused recipient that leaves the config is not tried again, and a new one is notified", async () => {
  const { remind } = await ledger();
  smtp.setFault({ refuse: { [DESK]: 550 } });
  await remind();
  smtp.setFault(undefined);
  expect((await remind([OPS])).told).toEqual([]);
  expect((await remind([OPS, "new@example.org"])).arrived).toEqual(["new@example.org"]);
  expect((await remind([OPS.toUpperCase(), "New <new@example.org>"])).told).toEqual([]);
});

it("what an earlier version has told to all counts for each", async () => {
  const { remind, connection } = await ledger();
  await sql(
    connection,
    "INSERT INTO secret_rotation_reminders VALUES ('prod', 'prod', 'database/password', 1, 'warning', 'email', now())",
  );
  expect((await remind()).told).toEqual([]);
});

it("two runs at once mail each recipient once", async () => {
  const { remind } = await ledger();
  const [one, two] = await Promise.all([remind(), remind()]);
  const sent = [...one.told, ...two.told].filter((line) => line.endsWith(": sent"));
  expect(sent.sort()).toEqual([`${DESK}: sent`, `${OPS}: sent`]);
});

it.each([
  [["a@x.org"], ["a@x.org"]],
  [
    ["Team A <a@x.org>", "b@x.org"],
    ["a@x.org", "b@x.org"],
  ],
  [["a@x.org, B <b@x.org>"], ["a@x.org", "b@x.org"]],
  [["ops: a@x.org, b@x.org;"], ["a@x.org", "b@x.org"]],
  [["a@x.org", "A@X.org"], ["A@X.org"]],
  [["nobody"], ["nobody"]],
])("the recipients of %j are %j", (to, recipients) => {
  expect(recipientsOf({ to })).toEqual(recipients);
});

import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runLine } from "../../cli/render/run-lines";
import { type CloudEvent, cloudEvent } from "../../core/events";
import { type Receiver, startReceiver } from "../../dev/lab/receiver";
import { editSettings, fine, rotation, setClock } from "./cli-support";
import { auditRows, refusedUp, setRequest, stored, up, useBench } from "./harness";

const SECRET = "database/password";
const KEY = `whsec_${randomBytes(32).toString("base64")}`;

const bench = useBench();
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  await editSettings(bench(), {
    events: { siem: { kind: "webhook" }, ops: { kind: "slack", types: ["failed", "overdue"] } },
  });
  const secrets = { "siem.url": receiver.url, "siem.secret": KEY, "ops.url": bench().lab.slack.url };
  for (const [path, input] of Object.entries(secrets)) {
    const set = await bench().stack.pulumi(["config", "set", "--secret", "--path", `events.${path}`], { input });
    expect(set.exitCode, set.stderr).toBe(0);
  }
});
afterAll(() => receiver?.stop());

let seen = 0;

/** What the receiver took since the last time, each proven to be ours. */
function arrived(): string[] {
  const requests = receiver.requests().slice(seen);
  seen += requests.length;
  return requests.map(({ text, headers }) => {
    const event = cloudEvent.parse(new Webhook(KEY).verify(text, headers as Record<string, string>));
    expect(event).toMatchObject({ source: "/secret-rotation/stacks/paper", subject: SECRET });
    const { action, generation, phase } = event.data;
    return [event.type.replace("secret-rotation.", ""), action, generation, phase]
      .filter((word) => word !== null)
      .join(" ");
  });
}

it("plain `pulumi up` while the receiver is down: every event comes later, in its order", async () => {
  await receiver.stop();
  await up(bench());
  await setClock(bench(), 89);
  await up(bench());
  const down = await rotation(bench(), ["events", "deliver"]);
  expect(down.exitCode, down.stderr).toBe(1);
  expect(down.stdout).toContain(
    `failed siem: secret-rotation.started for ${SECRET} (the receiver did not accept the message`,
  );
  await receiver.restart();
  expect(await fine(bench(), ["events", "list"])).toMatch(/finished .*siem: open\b/);
  await fine(bench(), ["events", "deliver"]);
  expect(arrived()).toEqual(["started ADOPT 1", "finished ADOPT 1", "started ROTATE 2", "finished ROTATE 2"]);
  expect(await fine(bench(), ["events", "deliver"])).toBe("Nothing new to send.");
  const rows = await auditRows(bench());
  expect(receiver.taken<CloudEvent>().flatMap(({ data }) => data.auditRow ?? [])).toEqual(
    rows.map(({ id }) => Number(id)),
  );
});

it("a refusal by the preflight: of `pulumi up`, sent by `remind`, and of a run, sent at its end; Slack gets it too", async () => {
  const { lab } = bench();
  lab.alpaca.paper.setMarket(true);
  await setRequest(bench(), { id: "while-open", rotate: true });
  await refusedUp(bench());
  const reminded = await fine(bench(), ["remind"]);
  expect(reminded).toContain(`sent siem: secret-rotation.failed for ${SECRET}`);
  expect(reminded).toContain(`sent ops: secret-rotation.failed for ${SECRET}`);
  expect(arrived()).toEqual(["failed ROTATE 3 preflight"]);
  const refused = await rotation(bench(), ["run", "--yes"]);
  expect(refused.exitCode, refused.stdout).toBe(1);
  expect(arrived()).toEqual(["failed 2 preflight"]);
  expect(lab.slack.messages().map(({ body }) => body.text)).toEqual(
    Array(2).fill(`${SECRET} (paper): a rotation FAILED (preflight)`),
  );
  lab.alpaca.paper.setMarket(false);
});

it("a run and a rollback send at their end; their lines of JSON follow the schema", async () => {
  const lines = (await fine(bench(), ["run", "--yes", "--json"]))
    .split("\n")
    .map((line) => runLine.parse(JSON.parse(line)));
  expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "done" });
  expect(new Set(lines.map(({ run }) => run)).size).toBe(1);
  expect(arrived()).toEqual(["started ROTATE 3", "finished ROTATE 3"]);
  await fine(bench(), ["rollback", SECRET, "--reason", "orders fail", "--yes"]);
  expect(arrived()).toEqual(["started ROLLBACK 2", "rolled-back ROLLBACK 2"]);
});

it("the timer's events come once, and no event holds a secret", async () => {
  await setClock(bench(), 89 + 91);
  await fine(bench(), ["events", "deliver"]);
  expect(arrived().sort()).toEqual(["grace-over 2", "overdue 2"]);
  expect(await fine(bench(), ["events", "deliver"])).toBe("Nothing new to send.");
  expect(bench().lab.slack.messages().at(-1)?.body.text).toBe(`${SECRET} (paper): OVERDUE, older than 90 days`);
  const { rows } = await bench().lab.postgres.query(
    "SELECT event, delivery FROM secret_rotation_events AS event JOIN secret_rotation_deliveries AS delivery ON delivery.event = event.id",
  );
  const everything =
    JSON.stringify(rows) +
    receiver
      .requests()
      .map(({ text }) => text)
      .join();
  for (const secret of [KEY, receiver.url, bench().lab.slack.url, (await stored(bench(), SECRET)).value])
    expect(everything).not.toContain(secret);
});

import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openProject } from "../../cli/operate/project";
import type { ReminderKind } from "../../cli/operate/reminders/kinds";
import type { Channel } from "../../cli/operate/reminders/ledger";
import { remind, type Sent } from "../../cli/operate/reminders/remind";
import { editSettings, fine, notifySinks, rotation, setClock } from "./cli-support";
import { type Bench, up, useBench } from "./harness";

const HOUR = 1 / 24;
const DATABASE = "database/password";
const ALPACA = "alpaca/api_key";

const bench = useBench({ rotates: "both" });

// The driver reads the login from this process's environment.
beforeAll(() => {
  for (const [name, value] of Object.entries(bench().stack.env)) if (name.startsWith("PG")) vi.stubEnv(name, value);
});
afterAll(() => void vi.unstubAllEnvs());

/** What arrived at the sinks so far, as `channel: title`, in alphabetical order. */
function arrived({ lab }: Bench): string[] {
  const slack = lab.slack.messages().map(({ body }) => `slack: ${body.text}`);
  const mails = lab.smtp.messages().map(({ raw }) => {
    const subject = /^Subject: (.*(?:\r\n[ \t].*)*)/m.exec(raw)?.[1]?.replaceAll(/\r\n[ \t]+/g, " ");
    return `email: ${subject?.replace("[rotation] ", "")}`;
  });
  return [...slack, ...mails].sort();
}

const both = (title: string) => [`email: ${title}`, `slack: ${title}`];

/**
 * `remind` ten times, an hour apart, as a scheduler runs it, and twice on the days on which nothing is to be told; in this
 * process, for its speed.
 */
async function hourly(from: number): Promise<Sent[]> {
  const { stack } = bench();
  const sent: Sent[] = [];
  const hours = from < 3 || from >= 80 ? 10 : 2;
  for (let hour = 0; hour < hours; hour++) {
    await setClock(bench(), from + hour * HOUR);
    const found = await remind(openProject(stack.projectDir, stack.name, { ...process.env, ...stack.env }));
    sent.push(...found.filter((one) => "channel" in one));
  }
  return sent;
}

it("over 95 days nobody acts; each message arrives once on each channel, also from two runs at once and after a failure", {
  timeout: 600_000,
}, async () => {
  await notifySinks(bench());
  await up(bench());
  const { lab } = bench();
  const told = new Map<string, number>();
  const note = (sent: readonly Sent[], day: number) => {
    for (const { secret, kind, channel, outcome } of sent) {
      expect(outcome).toBe("sent");
      const key = `${secret} ${kind} ${channel}`;
      expect(told.has(key), `${key} again on day ${day}`).toBe(false);
      told.set(key, day);
    }
  };

  expect(await fine(bench(), ["remind"])).toBe("Nothing new to send.");
  for (let day = 0; day < 85; day++) note(await hourly(day), day);
  const before: string[] = [...told.keys()];
  // The day-85 warning, and the alert for the key, which is three days older: Slack is down, then two runs at once meet while Slack is slow, then nothing is left to tell.
  lab.slack.setFault({ status: 503 });
  await setClock(bench(), 85);
  const down = await rotation(bench(), ["remind"]);
  expect(down.exitCode).toBe(1);
  expect(down.stdout).toContain(`sent email: warning for ${DATABASE}`);
  expect(down.stdout).toContain(`failed slack: warning for ${DATABASE} (Slack did not accept the message: 503`);
  expect(down.stdout + down.stderr).not.toContain(new URL(lab.slack.url).pathname);
  lab.slack.setFault({ slowMs: 3000 });
  const two = await Promise.all([rotation(bench(), ["remind"]), rotation(bench(), ["remind"])]);
  lab.slack.setFault(undefined);
  expect(two.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const lines = two.flatMap(({ stdout }) => stdout.split("\n"));
  expect(lines.filter((line) => line.startsWith("sent slack:")).sort()).toEqual([
    `sent slack: alert for ${ALPACA}`,
    `sent slack: warning for ${DATABASE}`,
  ]);
  expect(await fine(bench(), ["remind"])).toBe("Nothing new to send.");
  for (let day = 85; day < 95; day++) note(await hourly(day), day);

  const days = Object.fromEntries(told);
  expect(days).toEqual(
    onBoth([
      [DATABASE, "grace-over", 1],
      [ALPACA, "warning", 82],
      [ALPACA, "overdue", 87],
      [DATABASE, "planned", 88],
      [DATABASE, "alert", 88],
      [DATABASE, "overdue", 90],
    ]),
  );
  expect(before).toHaveLength(4);
  expect(arrived(bench())).toEqual(
    [
      `${DATABASE} (paper): grace period over`,
      `${DATABASE} (paper): must be rotated by 2027-02-21 02:00 UTC`,
      `${DATABASE} (paper): rotation planned for 2027-02-20 02:00 UTC`,
      `${DATABASE} (paper): FINAL WARNING, must be rotated by 2027-02-21 02:00 UTC`,
      `${DATABASE} (paper): OVERDUE, older than 90 days`,
      `${ALPACA} (paper): must be rotated by 2027-02-18 00:00 UTC`,
      `${ALPACA} (paper): FINAL WARNING, must be rotated by 2027-02-18 00:00 UTC`,
      `${ALPACA} (paper): OVERDUE, older than 90 days`,
    ]
      .flatMap(both)
      .sort(),
  );
  expect(lab.smtp.messages().every(({ encrypted }) => encrypted)).toBe(true);
});

const onBoth = (list: readonly (readonly [string, ReminderKind, number])[]) =>
  Object.fromEntries(
    list.flatMap(([secret, kind, day]) =>
      (["slack", "email"] as readonly Channel[]).map((channel) => [`${secret} ${kind} ${channel}`, day]),
    ),
  );

it("a rotation that failed is reported with its reason, a mail server that refuses is tried again, and a new generation anew", async () => {
  const { lab } = bench();
  const failure = ["log", "--secret-name", DATABASE, "--status", "FAILED", "--reason", "orchestrator stayed unhealthy"];
  await fine(bench(), failure);
  lab.smtp.setFault({ code: 450 });
  const refused = await rotation(bench(), ["remind", "--json"]);
  lab.smtp.setFault(undefined);
  expect(refused.exitCode).toBe(1);
  expect(refused.stdout + refused.stderr).not.toContain(lab.smtp.password);
  const about = { secret: DATABASE, generation: 1, kind: "failed" };
  expect(JSON.parse(refused.stdout)).toEqual([
    { ...about, channel: "slack", outcome: "sent" },
    { ...about, channel: "email", outcome: "failed", error: expect.stringContaining("did not accept the mail: ") },
  ]);
  expect(JSON.parse(await fine(bench(), ["remind", "--json"]))).toEqual([
    { ...about, channel: "email", outcome: "sent" },
  ]);
  expect(lab.smtp.messages().at(-1)?.raw).toContain("orchestrator stayed unhealthy");

  await up(bench());
  await setClock(bench(), 95 + 85);
  const next = JSON.parse(await fine(bench(), ["remind", "--json"])) as Sent[];
  expect(next.filter(({ kind }) => kind === "warning")).toEqual(
    ["slack", "email"].map((channel) => ({
      secret: DATABASE,
      generation: 2,
      kind: "warning",
      channel,
      outcome: "sent",
    })),
  );

  await editSettings(bench(), { notify: undefined });
  const nobody = await rotation(bench(), ["remind"]);
  expect(nobody.exitCode).toBe(2);
  expect(nobody.stderr).toContain("pulumi config set --secret --path notify.slackWebhook");
});

import { type ChildProcess, spawn } from "node:child_process";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import nodemailer from "nodemailer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordEntry } from "../../../audit/log";
import { poll } from "../../../dev/lab/poll";
import { randomSecret } from "../../../dev/lab/secrets";
import { watchProcesses } from "../../unit/leaks/processes";
import { auditRows, type Bench, startBench } from "../harness";
import { hunt } from "./hunt";
import { stateSecrets } from "./state-secrets";

let bench: Bench;
beforeAll(async () => {
  // Without the mark: other hunts that go on at the same time see what is planted in processes.
  bench = await startBench({ huntLeaks: false, labOptions: { secret: randomSecret } });
});
afterAll(() => bench?.lab.stop());

/** How a leak may look, in turn. */
const FORMS = [
  (value: string) => `password=${value};`,
  (value: string) => Buffer.from(`{"a":"${value}"}`).toString("base64"),
  (value: string) => Buffer.from(`{"ab":"${value}"}`).toString("base64url"),
  (value: string) => encodeURIComponent(`postgresql://trader:${value}@db`),
  (value: string) => Buffer.from(value).toString("hex"),
];

it("finds nothing if nothing was planted, and a credential in each kind of place", async () => {
  const { lab, stack } = bench;
  const watch = watchProcesses();
  const clean = await hunt({ lab, stack, printed: [], processes: await watch.look() });
  expect(clean.found).toEqual([]);
  expect(clean.secrets).toBeGreaterThan(15);
  expect(clean.files).toBeGreaterThan(500);

  const value = String(lab.adopted["database/password"]);
  const planted = FORMS.map((form) => form(value));
  const [plain = "", base64 = "", url = "", encoded = "", hex = ""] = planted;
  const children = [
    spawn("sh", ["-c", "sleep 30; :", value], { stdio: "ignore" }),
    spawn("sleep", ["30"], { stdio: "ignore", env: { PATH: process.env.PATH, LEAKED: base64 } }),
  ];
  try {
    await Promise.all([shows(children[0], "cmdline", value), shows(children[1], "environ", base64)]);
    await writeFile(join(stack.stateDir, ".pulumi", "planted.json"), base64);
    await writeFile(join(stack.projectDir, "planted.txt"), url);
    await appendFile(String(lab.hosts[0]?.services[0]?.logFile), `ERROR: ${encoded}\n`);
    await lab.postgres.query(`CREATE TABLE planted AS SELECT '${hex}' AS leak`);
    await lab.postgres.query("CHECKPOINT");
    await plantRow(bench, plain);
    await fetch(lab.slack.url, { method: "POST", body: JSON.stringify({ text: plain }) });
    await plantMail(bench, plain);
    const printed = ["before", `error: ${encoded}`, "after"];
    const { found } = await hunt({ lab, stack, printed, processes: await watch.stop() });
    const places = found
      .filter((finding) => finding.endsWith(" holds the adopted database/password"))
      .map((finding) => finding.replace(/ holds .*/, ""));
    for (const place of [
      /^stack-paper\/state\/.pulumi\/planted.json$/,
      /^stack-paper\/project\/planted.txt$/,
      /^trading-1\/signal-service.log$/,
      /^postgres.log$/,
      /^postgres\/base\/\d+\/\d+$/,
      /^the audit log$/,
      /^a Slack message$/,
      /^a mail$/,
      /^what was printed$/,
      /^a command line$/,
      /^an environment$/,
    ]) {
      expect(places).toEqual(expect.arrayContaining([expect.stringMatching(place)]));
    }
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
});

it("knows every credential of the config", async () => {
  const { lab, stack } = bench;
  await stack.configureSecret(
    "notify",
    JSON.stringify({ slackWebhook: "https://hooks.invalid/services/T0/B0/x1y2z3" }),
  );
  const known = Object.values(await stateSecrets(stack));
  expect(known).toContain(lab.adopted["database/password"]);
  expect(known).toContain("https://hooks.invalid/services/T0/B0/x1y2z3");
  expect(known).toContain(lab.config.sshPrivateKey.split("\n")[2]);
});

/** A process shows its parent's command line until it has become what was started. */
const shows = (child: ChildProcess | undefined, file: string, text: string) =>
  poll(async () => (await readFile(`/proc/${child?.pid}/${file}`, "utf8")).includes(text), {
    what: `the planted process's ${file}`,
    limitMs: 60_000,
  });

async function plantRow({ lab }: Bench, leak: string): Promise<void> {
  const { host, port, database, adminUser: user, adminPassword: password } = lab.postgres;
  const entry = { secretName: "database/password", rotatedBy: "nobody", status: "FAILED", reason: leak } as const;
  await recordEntry({ host, port, database, user, password }, { ...entry, rotationDate: new Date().toISOString() });
  expect(await auditRows(bench)).toHaveLength(1);
}

async function plantMail({ lab: { smtp } }: Bench, leak: string): Promise<void> {
  const { host, port } = smtp;
  const transport = nodemailer.createTransport({ host, port, tls: { rejectUnauthorized: false } });
  try {
    // Longer than a line of quoted-printable, which breaks it.
    await transport.sendMail({ from: "a@b.invalid", to: "c@d.invalid", text: `é ${"x".repeat(60)} ${leak}` });
  } finally {
    transport.close();
  }
}

import { createTransport } from "nodemailer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Slack, startSlack } from "../../../dev/lab/slack";
import { type Smtp, startSmtp } from "../../../dev/lab/smtp";

let slack: Slack;
let smtp: Smtp;
beforeAll(async () => {
  [slack, smtp] = await Promise.all([startSlack(), startSmtp()]);
});
afterAll(() => Promise.all([slack?.stop(), smtp?.stop()]));

const post = (url: string, body: string) => fetch(url, { method: "POST", body });

test("Slack takes messages at its own address, as JSON", async () => {
  expect(await (await post(slack.url, JSON.stringify({ text: "hello" }))).text()).toBe("ok");
  expect(slack.messages().map(({ body }) => body)).toEqual([{ text: "hello" }]);
  expect((await post(slack.url, "not JSON")).status).toBe(400);
  expect((await post(`${slack.url}x`, "{}")).status).toBe(404);
  slack.setFault({ status: 503 });
  expect((await post(slack.url, "{}")).status).toBe(503);
  slack.setFault({ drop: true });
  await expect(post(slack.url, "{}")).rejects.toThrow();
  slack.setFault(undefined);
  expect(slack.messages()).toHaveLength(1);
});

function send(password = smtp.password, requireTLS = true): Promise<unknown> {
  const { host, port, user } = smtp;
  const tls = { rejectUnauthorized: false };
  const transport = createTransport({ host, port, requireTLS, tls, auth: { user, pass: password } });
  return transport.sendMail({
    from: "rotation@example.com",
    to: "team@example.com",
    subject: "Due",
    text: "Tomorrow.",
  });
}

test("mail arrives over STARTTLS, and a wrong login does not", async () => {
  await send();
  const [mail] = smtp.messages();
  expect(mail).toMatchObject({ from: "rotation@example.com", to: ["team@example.com"], encrypted: true });
  expect(mail?.raw).toContain("Subject: Due");
  await expect(send("wrong")).rejects.toMatchObject({ responseCode: 535 });
});

test("the mail server fails as it is told", async () => {
  smtp.setFault({ code: 450, message: "try again" });
  await expect(send()).rejects.toMatchObject({ responseCode: 450 });
  smtp.setFault({ drop: true });
  await expect(send()).rejects.toThrow();
  smtp.setFault(undefined);
  await expect(send()).resolves.toBeDefined();
});

import ky, { HTTPError } from "ky";
import { trustingFetch } from "../../../clients/trust";
import { messageOf } from "../../../core/errors";
import { redact } from "../../../core/redact";
import { OperationError } from "../errors";
import type { Reminder } from "./kinds";
import { wordsOf } from "./words";

const TIMEOUT = 10_000;

/** A reminder as a Block Kit message. */
export function slackMessage(reminder: Reminder): Record<string, unknown> {
  const { title, text, command } = wordsOf(reminder);
  const fields = [
    ["Stack", reminder.stack],
    ["Environment", reminder.environment],
    ["Age", `${reminder.ageDays ?? "unknown"} of ${reminder.maxAgeDays} days`],
    ["Generation", String(reminder.generation)],
  ].map(([name, value]) => ({ type: "mrkdwn", text: `*${name}*\n${escaped(value ?? "")}` }));
  return {
    // For notifications and screen readers.
    text: escaped(title),
    blocks: [
      { type: "header", text: { type: "plain_text", text: title.slice(0, 150) } },
      { type: "section", text: { type: "mrkdwn", text: escaped(text).slice(0, 3000) } },
      { type: "section", fields },
      ...(command === undefined
        ? []
        : [{ type: "section", text: { type: "mrkdwn", text: `\`${escaped(command)}\`` } }]),
      { type: "context", elements: [{ type: "mrkdwn", text: "Sent once by `rotation remind`." }] },
    ],
  };
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Posts to Slack's incoming webhook. @throws OperationError without the address, which is a secret */
export async function sendToSlack(webhook: string, reminder: Reminder): Promise<void> {
  try {
    await ky.post(webhook, { fetch: trustingFetch, json: slackMessage(reminder), timeout: TIMEOUT, retry: 0 });
  } catch (error) {
    const found =
      error instanceof HTTPError ? `${error.response.status} ${error.response.statusText}` : messageOf(error);
    throw new OperationError(`Slack did not accept the message: ${redact(found, [webhook])}`);
  }
}

import type { Message } from "./message";

/** A message for Slack's incoming webhook, in Block Kit. */
export function slackBody({ title, text, command, fields, footer }: Message): Record<string, unknown> {
  return {
    // For notifications and screen readers.
    text: escaped(title),
    blocks: [
      { type: "header", text: { type: "plain_text", text: title.slice(0, 150) } },
      { type: "section", text: { type: "mrkdwn", text: escaped(text).slice(0, 3000) } },
      {
        type: "section",
        fields: fields.map(([name, value]) => ({ type: "mrkdwn", text: `*${name}*\n${escaped(value)}` })),
      },
      ...(command === undefined
        ? []
        : [{ type: "section", text: { type: "mrkdwn", text: `\`${escaped(command)}\`` } }]),
      { type: "context", elements: [{ type: "mrkdwn", text: footer }] },
    ],
  };
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

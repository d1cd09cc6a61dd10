import type { Message } from "./message";

/** A message for a workflow of Microsoft Teams: an Adaptive Card, version 1.4, as the workflow "Post to a channel" takes it. */
export function teamsBody({ title, text, command, fields, footer }: Message): Record<string, unknown> {
  const block = (more: object) => ({ type: "TextBlock", wrap: true, ...more });
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      block({ text: escaped(title), weight: "Bolder", size: "Medium" }),
      block({ text: escaped(text) }),
      { type: "FactSet", facts: fields.map(([name, value]) => ({ title: name, value: escaped(value) })) },
      ...(command === undefined ? [] : [block({ text: command, fontType: "Monospace" })]),
      block({ text: footer, size: "Small", isSubtle: true }),
    ],
  };
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content }],
  };
}

/** A card's text is Markdown: what a name or a reason contains must not become a link or a list. */
const escaped = (text: string) => text.replace(/[\\`*_[\]#]/g, "\\$&");

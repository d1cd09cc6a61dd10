import type { SecretPlan, StackPlan } from "../operate/plan-words";
import { colors } from "./colors";
import { WIDTH, wrap } from "./table";

/** A plan for a reviewer, at most 80 columns wide. */
export function renderPlan(plan: StackPlan, width = WIDTH): string {
  const { stack, environment, secrets, others, dangers, changes, unchanged } = plan;
  const lines = [
    wrap(`stack ${stack}, environment ${environment}: ${changes.length} changes, ${unchanged} unchanged`, "", width),
  ];
  for (const secret of secrets) {
    const acts = secret.action !== undefined;
    lines.push("", wrap(acts ? colors.bold(secret.headline) : secret.headline, "", width));
    if (secret.lacks !== undefined) lines.push(wrap(`Not approved yet: ${secret.lacks}`, "", width));
    secret.steps.forEach(({ text }, index) => {
      const [first = "", ...rest] = wrap(text, "     ", width).split("\n");
      lines.push(`${String(index + 1).padStart(3)}. ${first.trimStart()}`, ...rest);
    });
  }
  if (others.length > 0) lines.push("", "Other changes:", ...others.map((other) => wrap(other, "  ", width)));
  if (dangers.length > 0) {
    lines.push(
      "",
      colors.red("Do not approve this:"),
      ...dangers.map((danger) => colors.red(wrap(danger, "  ", width))),
    );
  }
  return lines.join("\n");
}

/** The same as a comment on a pull request. */
export function planMarkdown(plan: StackPlan): string {
  const { stack, environment, secrets, others, dangers, changes, unchanged } = plan;
  const lines = [`### Secret rotation: what \`${stack}\` (environment ${environment}) would do`, ""];
  if (dangers.length > 0) lines.push("> [!CAUTION]", ...dangers.map((danger) => `> ${danger}`), "");
  for (const secret of secrets) lines.push(...section(secret));
  if (others.length > 0) lines.push("**Other changes**", "", ...others.map((other) => `- \`${other}\``), "");
  lines.push(`<details><summary>${changes.length} changes, ${unchanged} unchanged</summary>`, "");
  if (changes.length > 0) {
    lines.push("| change | resource | type |", "| --- | --- | --- |");
    lines.push(...changes.map(({ op, name, type }) => `| ${op} | \`${name}\` | \`${type}\` |`), "");
  }
  return `${[...lines, "</details>"].join("\n")}\n`;
}

const section = ({ headline, steps }: SecretPlan): string[] => [
  `**${headline.replaceAll("`", "'")}**`,
  "",
  ...steps.map(({ text }, index) => `${index + 1}. ${text}`),
  ...(steps.length > 0 ? [""] : []),
];

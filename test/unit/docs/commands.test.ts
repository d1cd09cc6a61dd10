import { expect, it } from "vitest";
import { commandsOf } from "./commands";

it("finds the blocks of a shell and the commands in the text, in their order, each once", () => {
  const markdown = `
Run \`rotation status\`, or \`pulumi up
--yes\`; \`pulumi\` alone is a word, \`policy.maxAge\` a key.

   \`\`\`sh
   PGUSER=x psql -c 'select 1' |
     cat
   \`\`\`

\`\`\`yaml
a: \`rotation run\`
\`\`\`

| \`PGUSER=postgres npx rotation audit migrate\` | \`rotation status\` |
`;
  expect(commandsOf(markdown)).toEqual([
    { kind: "span", text: "rotation status" },
    { kind: "span", text: "pulumi up --yes" },
    { kind: "block", text: "PGUSER=x psql -c 'select 1' |\n  cat" },
    { kind: "span", text: "PGUSER=postgres npx rotation audit migrate" },
  ]);
});

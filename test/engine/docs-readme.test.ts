import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { followed } from "../servers/docs/followed";
import { type FreshStack, freshStack, labStack } from "../servers/docs/fresh-stack";
import { useStack } from "../servers/docs/use-stack";

const [stack, access] = useStack((platform) => freshStack(platform, ["database/password"]));

const HERE = "is about this machine, and what the test does itself";

/** The pair in use and a new one from the dashboard, as the document's comment says. */
async function supplyPairs({ dir, edit }: FreshStack): Promise<void> {
  const { output } = await (await labStack(access())).run("pulumi config get alpacaKeys");
  await writeFile(join(dir, "pairs.json"), output);
  await edit((config) => {
    const secrets = config["secret-rotation:secrets"] as unknown[];
    secrets.push({ kind: "alpaca-key", restart: ["execution-gateway", "market-data-service", "orchestrator"] });
  });
}

describe("the README's commands, in their order, on a platform that exists", () => {
  followed("README.md", stack, {
    "npm ci && npm run demo ...": { not: HERE },
    "npm run toolchain": { not: HERE },
    "npm ci ...": { not: HERE },
    "pulumi plugin install resource random v4.21.2": { not: "needs the plugin server" },
    "PGUSER=postgres npx rotation audit migrate ...": { not: "as the log's owner: docs-operations.test.ts" },
    "npm run demo -- --keep": { not: HERE },
    "npm run demo -- --json": { not: HERE },
    "npm run demo -- --store aws": { not: HERE },
    "npm run lab": { not: HERE },
    "npm run lab -- --help": { not: HERE },
    "pulumi config set --path secret-rotation:lab.clock 2027-02-20T02:00:00Z": { not: "lab/main.test.ts" },
    "pulumi preview": { not: "names what the following sections run" },
    "pulumi preview --save-plan plan.json": { not: "needs a stack: run after the first update" },
    "pulumi up --plan plan.json": { not: "needs a stack: run after the first update" },
    "pulumi up": { not: "names what the following sections run" },
    "pulumi login s3://my-pulumi-state ...": {
      first: async ({ dir }) => {
        const { host, port } = access().postgres;
        const { output } = await stack().run('echo "$PGPASSWORD"');
        await writeFile(join(dir, "pgpass"), `${host}:${port}:*:rotation:${output}`, { mode: 0o600 });
        await stack().run('mkdir "$PWD/../state"; unset PGPASSWORD');
      },
      as: {
        "s3://my-pulumi-state": 'file://"$PWD"/../state',
        "VAULT_ADDR=... VAULT_TOKEN=...": 'VAULT_ADDR="$VAULT_ADDR" VAULT_TOKEN="$VAULT_TOKEN"',
        "PGPASSFILE=...": 'PGPASSFILE="$PWD/pgpass"',
      },
    },
    "pulumi stack init paper ...": {
      // Asks on a terminal (alpaca-add-key.test.ts), and this config has no pair yet.
      as: { "npx rotation alpaca add-key": "true" },
      after: expectNoSecret,
    },
    "pulumi preview --diff": { not: "run in the block" },
    "pulumi preview --diff ...": {
      says: /database\/password: adopts the credential in use and rotates to generation 1/,
      after: async (_, { run }) => {
        const plan = await run("pulumi preview --save-plan plan.json && pulumi up --plan plan.json --yes");
        expect(plan.exitCode, plan.output).toBe(0);
      },
    },
    "pulumi up --yes": { says: /\d+ unchanged/ },
    "pulumi config set --path request.id ...": { says: /rolls back/ },
    'npx rotation rollback database/password --reason "..."': {},
    "pulumi config set --secret alpacaKeys ...": { first: supplyPairs, says: /alpaca\/api_key/, after: expectNoSecret },
    "rotation alpaca add-key": { not: "asks on a terminal: alpaca-add-key.test.ts" },
    "npx rotation": { not: "the name of what follows" },
    "npx rotation status ...": {
      first: ({ run }) => run(`pulumi config set --secret --path notify.slackWebhook ${access().slack}`),
    },
    "rotation metrics": {},
    "npx rotation status --format html ...": {
      after: async (_, { dir }) => {
        const page = await readFile(join(dir, "status.html"), "utf8");
        expect(page).toMatch(/database\/password[\s\S]*restarting signal-service/);
        for (const { password } of access().databases) expect(page).not.toContain(password);
      },
    },
    "pulumi cancel": { exitCode: 0 },
    "npx rotation diagnose --fix": {},
    "npx rotation run": {},
  });
});

/** The settings file holds no secret as it is. */
async function expectNoSecret(_: unknown, { dir }: FreshStack): Promise<void> {
  const settings = await readFile(join(dir, "Pulumi.paper.yaml"), "utf8");
  expect(settings).not.toContain("PRIVATE KEY");
  for (const { password } of access().databases) expect(settings).not.toContain(password);
}

import { describe } from "vitest";
import { followed } from "../servers/docs/followed";
import { freshStack, labStack } from "../servers/docs/fresh-stack";
import { useStack } from "../servers/docs/use-stack";

const FIRST_TIME = "## First time";
const until = (text: string) => text.slice(0, text.indexOf(FIRST_TIME));
const from = (text: string) => text.slice(text.indexOf(FIRST_TIME));

const BY_HAND = "is what people did by hand";
const TERMINAL = "asks on a terminal: alpaca-add-key.test.ts";

describe("the commands of docs/operations.md, in their order, on a stack that is configured", () => {
  const [stack, access] = useStack(labStack);
  followed(
    "docs/operations.md",
    stack,
    {
      "rotation remind": {
        first: ({ run }) => run(`pulumi config set --secret --path notify.slackWebhook ${access().slack}`),
      },
      "rotation events list --stack prod": {},
      "rotation calendar --stack prod --out rotation.ics": {},
      "rotation metrics --stack prod": {},
      "rotation schedule kubernetes ...": { as: () => ({ "prod-*": "paper*" }) },
      "rotation status --stack prod": { exitCode: 3 },
      "rotation watch": { not: "goes on until it is stopped: old-login-in-use.test.ts" },
      "rotation run --if-due --yes --stack prod": {},
      "rotation preflight --stack prod": {},
      "rotation rehearse --stack prod": {},
      "rotation plan --stack prod": {},
      "rotation run --stack prod": {},
      "rotation run database/password --stack prod": {},
      "pulumi preview": {},
      "pulumi up": {},
      "vault kv put": { not: BY_HAND },
      "aws secretsmanager ...": { not: BY_HAND },
      "rotation log --secret-name ...": {},
      "rotation validate database/password --stack prod": {},
      "rotation alpaca add-key --stack prod": { not: TERMINAL },
      "vault kv metadata put": { not: BY_HAND },
      "rotation alpaca forget-key --stack prod": { not: TERMINAL },
      "rotation key add NAME": { not: "needs a key of another issuer: api-key.test.ts" },
      "rotation key forget NAME": { not: "needs a key of another issuer: api-key.test.ts" },
      "rotation rollback database/password ...": {},
      "rotation rollback alpaca/api_key ...": { not: "needs a second pair: alpaca-rollback.test.ts" },
      "rotation rotate-now database/password ...": {},
      "rotation leaked --stack prod": { not: "needs a key first, and asks on a terminal: leaked.test.ts" },
      "rotation approve --stack prod": { not: "only if the config asks for approvals: cli-audit.test.ts" },
      "rotation run --auto-rollback --stack prod": {},
      "rotation diagnose --stack prod": {},
      "rotation diagnose --fix --stack prod": {},
      "rotation diagnose --fix": { not: "the same without its stack" },
      "rotation alpaca add-key": { not: TERMINAL },
      "rotation validate --stack prod": {},
      "vault kv get": { not: BY_HAND },
      "rotation evidence --last 90d ...": { not: "needs a key first: cli-audit.test.ts" },
      "rotation audit verify --stack prod": {},
      "rotation report --last 90d ...": {},
      "rotation kinds test ./my-kind": { not: "needs commands and their issuer: test/servers/cli/kinds.test.ts" },
      "rotation audit prune --stack prod": { not: "as the log's owner: cli-audit.test.ts" },
    },
    { part: until, everywhere: { "--stack prod": "--stack paper" } },
  );
});

describe("First time, in its order, on a platform that exists", () => {
  const [stack, access] = useStack((found) => freshStack(found, ["database/password"]));
  const asAdministrator = () => `PGUSER=postgres PGPASSWORD=${access().postgres.password}`;
  followed(
    "docs/operations.md",
    stack,
    {
      "npm run demo": { not: "is about this machine" },
      "npm ci": { not: "is about this machine" },
      "npm run toolchain": { not: "is about this machine" },
      "pulumi stack init paper": {
        first: ({ run }) => run('mkdir "$PWD/../state" && pulumi login file://"$PWD"/../state'),
      },
      "pulumi config set --secret sshPrivateKey ...": {},
      "npx rotation adopt --stack paper": {},
      "PGUSER=postgres npx rotation audit migrate --stack paper": {
        as: () => ({ "PGUSER=postgres": asAdministrator() }),
      },
      "vault kv patch ...": { not: BY_HAND },
      "rotation adopt": { not: "the same without its stack" },
      "npx rotation alpaca add-key --stack paper": { not: TERMINAL },
      "npx rotation preflight --stack paper": {},
      "npx rotation plan --stack paper": {},
      "npx rotation run --stack paper": {},
      "npx rotation validate --stack paper": {},
      'npx rotation rollback database/password --stack paper --reason "drill"': {},
      "rotation report": {},
      "rotation audit verify": {},
      "rotation run --if-due ...": { as: () => ({ "prod-*": "paper*" }) },
    },
    { part: from },
  );
});

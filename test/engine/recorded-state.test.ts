import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { type HttpServer, sendJson, startHttp } from "../../dev/lab/http";
import { createStack } from "../../dev/lab/stack";
import { resolveToolchain, type Toolchain } from "../../dev/toolchain/resolve";
import { UNCHANGED } from "./harness";

/**
 * A stack after its adoption and one rotation, as the program of commit 27eb6fd left it: before kinds and stores had a
 * folder each; `in-place`: as that of f9030c9 did, before one step wrote all paths. In place of the lab's servers, keys and passwords are others that never were.
 */
interface Recorded {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly resources: readonly RecordedResource[];
}

/** As `pulumi stack export --show-secrets` has it; of a command's outputs only what is not an input. */
interface RecordedResource {
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: object;
}

const FOLDER = join(projectRoot(), "test", "recordings");
const NAMES = readdirSync(FOLDER).flatMap((file) => /^stack-(.+)\.json$/.exec(file)?.[1] ?? []);

const whole = (resource: RecordedResource) =>
  resource.type === "command:local:Command"
    ? { ...resource, outputs: { ...resource.inputs, ...resource.outputs } }
    : resource;

/** Answers what a preview asks of AWS, Alpaca and Vault, as they answered when the state was recorded. */
const startServer = (recorded: () => string): Promise<HttpServer> =>
  startHttp(({ url, headers }, response) => {
    const { resources } = JSON.parse(recorded()) as Recorded;
    const secrets = resources.filter(({ type }) => type === "aws:secretsmanager/secret:Secret");
    const [, rotation] = /"lastVaultRotation": "(.+)"/.exec(recorded()) ?? [];
    const answers: Record<string, unknown> = {
      "secretsmanager.ListSecrets": { SecretList: secrets.map(({ id, inputs }) => ({ ARN: id, Name: inputs?.name })) },
      "/v2/account": {},
      "/v1/database/static-roles/trader": { data: { last_vault_rotation: rotation } },
      // What HashiCorp's provider asks first; the offline one does not.
      "/v1/auth/token/lookup-self": { data: { ttl: 0, policies: [] } },
      "/v1/sys/seal-status": { sealed: false, version: "1.21.0" },
    };
    const answer = answers[String(headers["x-amz-target"] ?? url)];
    sendJson(response, answer === undefined ? 404 : 200, answer ?? { errors: [] });
  });

/** What providers read of the environment. Nobody asks the database. */
const environment = (address: string) => ({
  PGUSER: "rotation",
  PGPASSWORD: "none",
  VAULT_ADDR: address,
  VAULT_TOKEN: "none",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  AWS_REGION: "us-east-1",
});

describe("a stack of an earlier version", () => {
  const dir = mkdtempSync(join(tmpdir(), "recorded-state-"));
  let recorded = "";
  let tools: Toolchain;
  let server: HttpServer;
  beforeAll(async () => {
    [tools, server] = await Promise.all([resolveToolchain({ need: ["pulumi"] }), startServer(() => recorded)]);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each(NAMES)("updates without a change: %s", async (name) => {
    recorded = readFileSync(join(FOLDER, `stack-${name}.json`), "utf8").replaceAll("<server>", server.url);
    const { config, secrets, resources } = JSON.parse(recorded) as Recorded;
    const env = { ...tools.env, ...environment(server.url) };
    const stack = await createStack({ dir: join(dir, name), stack: "paper", env, config, secrets });
    const exported = JSON.parse((await stack.pulumi(["stack", "export"])).stdout) as { deployment: object };
    const deployment = { ...exported.deployment, resources: resources.map(whole) };
    const imported = await stack.pulumi(["stack", "import"], { input: JSON.stringify({ ...exported, deployment }) });
    expect(imported.exitCode, imported.stderr).toBe(0);
    const { exitCode, stdout, stderr } = await stack.pulumi(["preview", "--expect-no-changes"]);
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stdout).toMatch(UNCHANGED);
  });
});

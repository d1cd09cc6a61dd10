import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../cli/toolchain/project";
import { clockAt, deployStack } from "../../dev/lab/deploy";
import { type Lab, startLab } from "../../dev/lab/lab";
import { type Load, startLoad } from "../../dev/lab/load";
import type { Moto } from "../../dev/lab/moto";
import type { Statement } from "../../dev/lab/moto-iam";
import type { Stack } from "../../dev/lab/stack";
import { resolveToolchain } from "../../dev/toolchain/resolve";
import { profileOf, startAwsFront } from "../servers/clients/aws-front";
import { startTls, tls } from "../servers/steps/store-support";

const ROLE = "arn:aws:iam::123456789012:role/rotation";
/** The environment of a run has no key: only what the config says. */
const NO_KEY = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", AWS_ENDPOINT_URL: "" };

/** The policy of `docs/aws.md`; the emulator judges actions, and no resource of Secrets Manager. */
async function documentedRights(): Promise<Statement[]> {
  const page = await readFile(join(projectRoot(), "docs/aws.md"), "utf8");
  const [, block = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  return (JSON.parse(block).Statement as Statement[]).map((statement) => ({ ...statement, Resource: "*" }));
}

describe("AWS Secrets Manager by moto, which judges by IAM, over TLS of a private CA", () => {
  let lab: Lab;
  let stack: Stack;
  let load: Load;
  let folder: string;
  let login: Readonly<Record<string, unknown>>;
  const stops: (() => Promise<unknown>)[] = [];
  const moto = () => lab.moto as Moto;

  beforeAll(async () => {
    const tools = await resolveToolchain({ need: ["pulumi", "openbao", "moto"] });
    lab = await startLab({ openbao: String(tools.openbao?.path), moto: String(tools.moto?.path), store: "aws" });
    stops.push(() => lab.stop());
    const front = await startAwsFront(moto().address);
    stops.push(() => front.stop());
    const { url, stop } = await startTls(front.url);
    stops.push(stop);
    const { iam } = moto();
    const ci = await iam.user("ci", [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: ROLE }]);
    expect(await iam.role("rotation", "ci", "of-the-desk", await documentedRights())).toBe(ROLE);
    folder = join(lab.dir, "aws");
    await mkdir(folder);
    await writeFile(join(folder, "config"), "[default]\n");
    await writeFile(join(folder, "credentials"), profileOf("ci", ci), { mode: 0o600 });
    const place = { kind: "aws", region: moto().region, endpoint: url, stsEndpoint: url, caBundle: tls("ca.pem") };
    login = { ...place, recoveryWindowDays: 0 };
    stack = await deployStack({ lab, tools, config: { store: { ...login, profile: "ci" } } });
    load = await startLoad(lab, { loginsPerSecond: 5 });
    await iam.enforce(true);
  });
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  const up = async () => {
    const files = { AWS_CONFIG_FILE: join(folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials") };
    const answer = await stack.pulumi(["up", "--yes", "--skip-preview"], { env: { ...NO_KEY, ...files } });
    return { ...answer, text: (answer.stdout + answer.stderr).replace(/\s+/g, " ") };
  };
  const done = async () => {
    const { exitCode, text } = await up();
    expect(exitCode, text).toBe(0);
  };
  const refused = async () => {
    const [before, user] = [await lab.store.get("database/password"), await inUse()];
    const { exitCode, text } = await up();
    expect(exitCode, text).not.toBe(0);
    expect(await lab.store.get("database/password")).toEqual(before);
    expect(await inUse()).toBe(user);
    return text;
  };
  const inUse = async () => (await lab.health("signal-service")).database?.user;
  const logInBy = (more: object) => stack.configure("store", { ...login, ...more });
  const assumeRole = { roleArn: ROLE, externalId: "of-the-desk" };

  it("the run's own identity may not read or list, and nothing is changed", async () => {
    expect(await refused()).toContain(
      "AWS denies secretsmanager:ListSecrets on paper/* in us-east-1: User: arn:aws:iam::123456789012:user/ci is not authorized",
    );
  });

  it("a role is not given without its external id, and nothing is changed", async () => {
    await logInBy({ profile: "ci", assumeRole: { ...assumeRole, externalId: "of-another" } });
    expect(await refused()).toContain("is not authorized to perform: sts:AssumeRole");
  });

  it("the role with the documented policy adopts, rotates and rolls back; no login fails", async () => {
    await logInBy({ profile: "ci", assumeRole });
    await done();
    expect(await inUse()).toBe("trader_b");
    await stack.configure("lab", clockAt(89));
    await done();
    expect(await inUse()).toBe("trader_a");
    await stack.configure("request", {
      ...{ id: "back", secret: "database/password", activate: 1, reason: "a test" },
    });
    await done();
    expect(await inUse()).toBe("trader_b");
  });

  it("a role that lost a right: AWS's refusal names the action, and the next run finishes", async () => {
    const may = async (rights: readonly Statement[]) => {
      await moto().iam.enforce(false);
      await moto().iam.allow("rotation", rights);
      await moto().iam.enforce(true);
    };
    const rights = await documentedRights();
    await may([...rights, { Effect: "Deny", Action: "secretsmanager:PutSecretValue", Resource: "*" }]);
    await stack.configure("lab", clockAt(91));
    expect(await refused()).toContain(
      "AWS denies secretsmanager:PutSecretValue on paper/database/username in us-east-1: User: " +
        "arn:aws:sts::123456789012:assumed-role/rotation/secret-rotation is not authorized",
    );
    await may(rights);
    await done();
    expect(await inUse()).toBe("trader_a");
  });

  it("a web identity, whose token the emulator cannot check, rotates as well", async () => {
    const token = join(folder, "token");
    await writeFile(token, `${Buffer.from("{}").toString("base64url")}.x.x`, { mode: 0o600 });
    await moto().iam.enforce(false);
    await logInBy({ webIdentity: { roleArn: ROLE, tokenFile: token } });
    await stack.configure("request", {
      ...{ id: "web", secret: "database/password", rotate: true, reason: "a test" },
    });
    await done();
    expect(await inUse()).toBe("trader_b");
    const { logins } = await load.stop({ logins: 100 });
    expect(logins.failures).toEqual([]);
    console.log(`aws: ${logins.tried} logins, 0 failed`);
  });
});

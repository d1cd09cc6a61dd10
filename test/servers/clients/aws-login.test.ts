import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { SecretsManager } from "../../../clients/aws";
import { awsCredentials } from "../../../clients/aws-login";
import { parseDuration } from "../../../core/duration";
import { type Moto, startMoto } from "../../../dev/lab/moto";
import { awsClient } from "../../../dev/toolchain/plugins/aws-client";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import type { AwsLogin } from "../../../stores/aws/login/schema";
import { schemaOf } from "../../../stores/schemas";
import { startTls, tls } from "../steps/store-support";
import { profileOf, startAwsFront } from "./aws-front";

const ROLE = "arn:aws:iam::123456789012:role/rotation";
let folder: string;
let moto: Moto;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aws-login-"));
  const { moto: found } = await resolveToolchain({ need: ["moto"] });
  moto = await startMoto({ dir: folder, bin: String(found?.path) });
  await moto.secrets.createSecret({ Name: "paper/database/password", SecretString: "the value" });
});

afterAll(async () => {
  await moto?.stop();
  await rm(folder, { recursive: true, force: true });
});

afterEach(() => void vi.unstubAllEnvs());

/** No credential in the environment: only what the config says. */
async function bare(config = "", credentials = ""): Promise<void> {
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"])
    vi.stubEnv(name, undefined);
  // The SDK reads a file once.
  const home = await mkdtemp(join(folder, "home-"));
  const desk = profileOf("desk", { accessKeyId: "AKIADESK", secretAccessKey: "of-the-desk" });
  await writeFile(join(home, "config"), config);
  await writeFile(join(home, "credentials"), desk + credentials);
  vi.stubEnv("AWS_CONFIG_FILE", join(home, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home, "credentials"));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
}

const keysOf = async (login: AwsLogin) => {
  const given = await awsCredentials(moto.region, { stsEndpoint: moto.address, ...login });
  return typeof given === "function" ? given() : given;
};

const read = (login: AwsLogin) =>
  new SecretsManager(moto.region, moto.address, { stsEndpoint: moto.address, ...login }).ask(
    "GetSecretValue",
    "paper/database/password",
    ({ sdk, client }) => client.send(new sdk.GetSecretValueCommand({ SecretId: "paper/database/password" })),
  );

const assumeRole: NonNullable<AwsLogin["assumeRole"]> = {
  roleArn: ROLE,
  externalId: "of-the-desk",
  sessionName: "secret-rotation",
  duration: parseDuration("1h"),
};

describe("a login to AWS", () => {
  it("by a profile, also one that assumes a role itself", async () => {
    await bare(`[profile chained]\nrole_arn = ${ROLE}\nsource_profile = desk\n`);
    expect(await keysOf({ profile: "desk" })).toMatchObject({ accessKeyId: "AKIADESK" });
    expect(await read({ profile: "desk" })).toMatchObject({ SecretString: "the value" });
    expect((await keysOf({ profile: "chained" }))?.sessionToken).toBeTruthy();
    await expect(read({ profile: "nobody" })).rejects.toThrow(
      /AWS gives the run no credentials: .*Check the profile nobody with `aws sts get-caller-identity --profile nobody`/,
    );
  });

  it("by a role that it assumes with a profile", async () => {
    await bare();
    const keys = await keysOf({ profile: "desk", assumeRole });
    expect(keys?.accessKeyId).not.toBe("AKIADESK");
    expect(keys?.sessionToken).toBeTruthy();
    const life = (keys?.expiration?.getTime() ?? 0) - Date.now();
    expect(life).toBeGreaterThan(3_000_000);
    expect(life).toBeLessThanOrEqual(3_700_000);
    expect(await read({ profile: "desk", assumeRole })).toMatchObject({ SecretString: "the value" });
    await expect(read({ assumeRole })).rejects.toThrow(
      /AWS gives the run no credentials: .*Check store\.assumeRole: the role arn:/,
    );
  });

  it("by a web identity", async () => {
    await bare();
    const { privateKey } = generateKeyPairSync("ed25519");
    const tokenFile = join(folder, "token");
    await writeFile(tokenFile, `${Buffer.from("{}").toString("base64url")}.${privateKey.asymmetricKeyType}.x`);
    const webIdentity = { roleArn: ROLE, tokenFile, sessionName: "secret-rotation" };
    expect((await keysOf({ webIdentity }))?.sessionToken).toBeTruthy();
    expect(await read({ webIdentity })).toMatchObject({ SecretString: "the value" });
    await expect(read({ webIdentity: { ...webIdentity, tokenFile: join(folder, "none") } })).rejects.toThrow(
      /Check store\.webIdentity/,
    );
  });

  it("over an endpoint that no one answers, or without the authority's file, says so", async () => {
    await bare();
    await expect(keysOf({ profile: "desk", assumeRole, stsEndpoint: "http://127.0.0.1:9" })).rejects.toThrow(
      /ECONNREFUSED/,
    );
    const caBundle = join(folder, "none.pem");
    await expect(read({ profile: "desk", caBundle })).rejects.toThrow(
      /AWS_CA_BUNDLE names .*none\.pem, which cannot be read/,
    );
  });

  it.each([
    ["a profile", { profile: "desk" }],
    ["a role", { profile: "desk", assumeRole }],
  ])("by %s is the same in a step as it is built", async (_, login) => {
    await bare();
    const { stdout } = await execa(process.execPath, [join(projectRoot(), "dist/steps/store-mark.mjs")], {
      input: JSON.stringify({
        store: {
          ...{ kind: "aws", region: moto.region, endpoint: moto.address, environment: "paper" },
          ...{ stsEndpoint: moto.address, ...login },
        },
        path: "database/password",
        says: { status: Object.keys(login).join() },
      }),
    });
    expect(JSON.parse(stdout)).toEqual({ marked: ["status"] });
  });

  it("is the same in the plugin", async () => {
    await bare();
    const config = {
      region: moto.region,
      endpoints: JSON.stringify([{ secretsmanager: moto.address, sts: moto.address }]),
      profile: "desk",
      assumeRoles: JSON.stringify([
        { roleArn: ROLE, externalId: "of-the-desk", sessionName: "secret-rotation", duration: "3600s" },
      ]),
    };
    const client = awsClient(config, process.env);
    const found = await client.attempt("reading", async (api) => {
      const { sessionToken } = await api.config.credentials();
      return { sessionToken, ...(await api.getSecretValue({ SecretId: "paper/database/password" })) };
    });
    expect(found).toMatchObject({ SecretString: "the value", sessionToken: expect.stringMatching(/.+/) });
  });

  it("reads by the role what the run's own identity may not, over TLS of a private CA", async () => {
    const SECRET = "paper/database/password";
    const key = await moto.iam.user("ci", [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: ROLE }]);
    const reads = { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: "*" };
    expect(await moto.iam.role("rotation", "ci", "of-the-desk", [reads])).toBe(ROLE);
    await bare("", profileOf("ci", key));
    const front = await startAwsFront(moto.address);
    const { url, stop } = await startTls(front.url);
    const by = async (login: AwsLogin, operation = "GetSecretValue") =>
      new SecretsManager(moto.region, url, { stsEndpoint: url, caBundle: tls("ca.pem"), profile: "ci", ...login }).ask(
        operation,
        SECRET,
        ({ sdk, client }) =>
          operation === "GetSecretValue"
            ? client.send(new sdk.GetSecretValueCommand({ SecretId: SECRET }))
            : client.send(new sdk.PutSecretValueCommand({ SecretId: SECRET, SecretString: "another" })),
      );
    const denied = (arn: string, action: string) =>
      `AWS denies secretsmanager:${action} on ${SECRET} in us-east-1: User: ${arn} is not authorized to perform: ` +
      `secretsmanager:${action}; give the run's role the policy in docs/aws.md`;
    await moto.iam.enforce(true);
    try {
      expect(await by({ assumeRole })).toMatchObject({ SecretString: "the value" });
      const own = "arn:aws:iam::123456789012:user/ci";
      await expect(by({})).rejects.toThrow(denied(own, "GetSecretValue"));
      const role = "arn:aws:sts::123456789012:assumed-role/rotation/secret-rotation";
      await expect(by({ assumeRole }, "PutSecretValue")).rejects.toThrow(denied(role, "PutSecretValue"));
      await expect(by({ assumeRole: { ...assumeRole, externalId: "of-another" } })).rejects.toThrow(
        `AWS gives the run no credentials: User: ${own} is not authorized to perform: sts:AssumeRole. Check store.assumeRole: ` +
          `the role ${ROLE} must trust the run's own identity (\`aws sts get-caller-identity\`) and its external id`,
      );
      await expect(by({ caBundle: undefined })).rejects.toThrow(/certificate/);
    } finally {
      await moto.iam.enforce(false);
      await stop();
      await front.stop();
    }
  });

  it("leaves a step's input as it is where the config says nothing", () => {
    const config = { kind: "aws", region: "eu-central-1", recoveryWindowDays: 30 } as const;
    expect(JSON.stringify(schemaOf(config).referenceOf(config, "paper"))).toBe(
      '{"kind":"aws","region":"eu-central-1","environment":"paper"}',
    );
  });
});

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { environmentSecrets, environmentWithoutSecrets } from "../../../clients/environment-secrets";

async function home(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "environment-secrets-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** Pulumi goes by the passwd, whose files are the tester's own. */
const NOWHERE = { PULUMI_HOME: "/nowhere" };

it.each([
  "VAULT_TOKEN",
  "BAO_TOKEN",
  "PGPASSWORD",
  "REDISCLI_AUTH",
  "REDISCLI_AUTH_CACHE",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "PULUMI_CONFIG_PASSPHRASE",
  "PULUMI_ACCESS_TOKEN",
  "GITHUB_TOKEN",
  "AZURE_CLIENT_SECRET",
  "GOOGLE_CREDENTIALS",
])("%s is a credential", async (name) => {
  expect(environmentSecrets({ ...NOWHERE, HOME: await home(), [name]: "its-value" })).toEqual(["its-value"]);
});

it("the file that REDISCLI_AUTH_FILE names holds one, and its path is none", async () => {
  const HOME = await home({ "auth/cache": "of-the-file\n" });
  const env = { ...NOWHERE, HOME, REDISCLI_AUTH_CACHE_FILE: join(HOME, "auth", "cache") };
  expect(environmentSecrets(env)).toEqual(["of-the-file"]);
});

it("a CI system's token is one in any variable, and no command of the user's gets it", async () => {
  const env = { ...NOWHERE, HOME: await home(), CI_JWT: "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl", CI_NAME: "eyJ.a" };
  expect(environmentSecrets(env)).toEqual([env.CI_JWT]);
  expect(environmentWithoutSecrets(env)).toEqual({ HOME: env.HOME, CI_NAME: "eyJ.a" });
});

it("what names a credential is none, nor is an empty or a very short one", async () => {
  const HOME = await home();
  const names = {
    PGUSER: "rotation",
    VAULT_ADDR: "https://vault:8200",
    AWS_ACCESS_KEY_ID: "AKIA",
    AWS_PROFILE: "paper",
  };
  expect(environmentSecrets({ ...NOWHERE, HOME, ...names, PULUMI_CONFIG_PASSPHRASE: "", PGPASSWORD: "lab" })).toEqual(
    [],
  );
});

it("an address's password is one, as written and as meant; its user and host are none", async () => {
  const HOME = await home();
  const found = environmentSecrets({
    ...NOWHERE,
    HOME,
    HTTPS_PROXY: "http://me:p%40ss-word@proxy:3128",
    PULUMI_BACKEND_URL: "s3://b",
  });
  expect(found).toEqual(["p%40ss-word", "p@ss-word"]);
});

it("the files of each tool are read, each where it looks", async () => {
  const HOME = await home({
    ".vault-token": "hvs.from-a-file\n",
    ".pgpass": "# host:port\ndb:5432:*:trader:pa\\:ss\\\\word\n*:*:*:*:other-password\nnot a line\n",
    ".aws/credentials":
      "[default]\naws_access_key_id = AKIA\naws_secret_access_key = aws-secret\n[x]\naws_session_token=aws-token\n",
    ".pulumi/credentials.json": '{"current":"https://api","accessTokens":{"https://api":"pul-token"}}',
  });
  expect(environmentSecrets({ HOME, PULUMI_HOME: join(HOME, ".pulumi") })).toEqual([
    ...["hvs.from-a-file", "pa:ss\\word", "other-password", "aws-secret", "aws-token", "pul-token"],
  ]);
});

it("so are files that variables name, and files that are not there or not to be read change nothing", async () => {
  const folder = await home({ passphrase: "from the file\n", pgpass: "h:1:d:u:secret-of-u\n" });
  const env = {
    HOME: join(folder, "nowhere"),
    PULUMI_CONFIG_PASSPHRASE_FILE: join(folder, "passphrase"),
    PGPASSFILE: join(folder, "pgpass"),
    AWS_SHARED_CREDENTIALS_FILE: folder,
    PULUMI_HOME: join(folder, "passphrase"),
  };
  expect(environmentSecrets(env)).toEqual(["from the file", "secret-of-u"]);
});

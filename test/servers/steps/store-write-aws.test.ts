import { describe, expect, it } from "vitest";
import { explainAwsText } from "../../../clients/aws";
import { checkDocuments } from "../../../components/preflight/store";
import type { StoreClient } from "../../../stores/store";
import { writeEntry } from "../../../stores/write-entry";
import { inShell, isThere } from "../../advice/shell";
import { advised } from "../../advice/table";
import { awsStore, setEnv, startTls, tls, useMoto, wish } from "./store-support";

const moto = useMoto();
let names = 0;
/** A secret of its own for each test, with this value. */
async function secretWith(value: string | Uint8Array): Promise<string> {
  const path = `database/password-${++names}`;
  const content = typeof value === "string" ? { SecretString: value } : { SecretBinary: value };
  await moto().secrets.createSecret({ Name: `paper/${path}`, ...content });
  return path;
}
const put = (path: string, SecretString: string) =>
  moto().secrets.putSecretValue({ SecretId: `paper/${path}`, SecretString });
const held = async (path: string, VersionStage = "AWSCURRENT") =>
  moto().secrets.getSecretValue({ SecretId: `paper/${path}`, VersionStage });

const JSON_SECRET = '{"engine":"postgres","host":"db","username":"trader","password":"theirs"}';

describe("a write into AWS", () => {
  it("makes a version, with the label of its slot if it is half a pair, and writes nothing a second time", async () => {
    const path = await secretWith("old");
    const before = (await held(path)).VersionId;
    const pair = { generation: 3, slot: 1 } as const;
    const first = await writeEntry(awsStore(moto()), wish(path, "new", ["old"], { pair }));
    expect(first).toMatchObject({ wrote: true, warnings: [] });
    const current = await held(path);
    expect(current).toMatchObject({ SecretString: "new", VersionId: first.version });
    expect([...(current.VersionStages ?? [])].sort()).toEqual(["AWSCURRENT", "slot-b"]);
    expect((await held(path, "AWSPREVIOUS")).VersionId).toBe(before);
    const second = await writeEntry(awsStore(moto()), wish(path, "new", ["old"], { pair }));
    expect(second).toEqual({ path, version: first.version, wrote: false, warnings: [] });
    // A value on its own has no label.
    await writeEntry(awsStore(moto()), wish(path, "newer", ["new"]));
    expect((await held(path)).VersionStages).toEqual(["AWSCURRENT"]);
  });

  it("fills a secret that has no value yet", async () => {
    await moto().secrets.createSecret({ Name: "paper/empty" });
    await writeEntry(awsStore(moto()), wish("empty", "new", []));
    expect((await held("empty")).SecretString).toBe("new");
    await expect(writeEntry(awsStore(moto()), wish("no/such", "new", []))).rejects.toThrow(
      /expected paper\/no\/such in .* to exist, found nothing/,
    );
  });

  it("refuses JSON and an external write; force overwrites it, and AWSPREVIOUS keeps it", async () => {
    for (const [value, words] of [
      [
        JSON_SECRET,
        "it is JSON: it is there under the key `password` (keys: `engine`, `host`, `username`, `password`)",
      ],
      ["theirs", "external write to"],
    ] as const) {
      const path = await secretWith(value);
      const refused = await writeEntry(awsStore(moto()), wish(path, "new", ["old"])).catch(String);
      expect(refused).toContain(words);
      expect(refused).not.toContain("theirs");
      expect((await held(path)).SecretString).toBe(value);
      await writeEntry(awsStore(moto()), wish(path, "new", ["old"], { force: true }));
      expect((await held(path)).SecretString).toBe("new");
      expect((await held(path, "AWSPREVIOUS")).SecretString).toBe(value);
    }
  });

  it("refuses binary data", async () => {
    const path = await secretWith(new Uint8Array([1, 2, 3]));
    await expect(writeEntry(awsStore(moto()), wish(path, "new", []))).rejects.toThrow(/it holds binary data/);
  });

  it("says so after an external write in between: AWS has no check-and-set", async () => {
    const path = await secretWith("old");
    const client = awsStore(moto());
    const writeAt = client.writeAt.bind(client);
    const meanwhile: StoreClient = Object.assign(client, {
      writeAt: async (...args: Parameters<StoreClient["writeAt"]>) => {
        await put(path, "theirs");
        return writeAt(...args);
      },
    });
    const { warnings } = await writeEntry(meanwhile, wish(path, "new", ["old"]));
    const theirs = (await held(path, "AWSPREVIOUS")).VersionId;
    expect(warnings.join()).toContain(`external write of version ${theirs} while this update wrote`);
    expect((await held(path)).SecretString).toBe("new");
  });

  it("reads again if a replica answers with the version before", async () => {
    const path = await secretWith("old");
    const client = awsStore(moto());
    const read = client.read.bind(client);
    const before = await client.read(path);
    let stale = 3;
    let reads = 0;
    Object.assign(client, { read: async (asked: string) => (++reads > 1 && stale-- > 0 ? before : read(asked)) });
    expect(await writeEntry(client, wish(path, "new", ["old"]))).toMatchObject({ wrote: true, warnings: [] });
  });
});

describe("tags in AWS", () => {
  it("stand beside those of others", async () => {
    const path = await secretWith("x");
    const SecretId = `paper/${path}`;
    const Tags = Object.entries({ owner: "desk-7", cmdb: "4711", grace_until: "over" });
    await moto().secrets.tagResource({ SecretId, Tags: Tags.map(([Key, Value]) => ({ Key, Value })) });
    const client = awsStore(moto());
    await client.mark(path, { status: "active", generation: "3" });
    const found = (await moto().secrets.describeSecret({ SecretId })).Tags ?? [];
    expect(Object.fromEntries(found.map(({ Key, Value }) => [Key, Value]))).toEqual({
      owner: "desk-7",
      cmdb: "4711",
      status: "active",
      generation: "3",
    });
    expect(await client.mark(path, { status: "active", generation: "3" })).toEqual([]);
  });
});

describe("the preflight of a store in AWS", () => {
  /** As an operator whose own region is another one, or none. */
  const aws = (line: string, input = "") =>
    inShell(line, { input, env: { ...moto().env, AWS_REGION: undefined, AWS_ENDPOINT_URL: undefined } });

  it.skipIf(!isThere("aws"))("names commands that work when copied", async () => {
    const path = await secretWith(JSON_SECRET);
    const client = awsStore(moto());
    const odd = await checkDocuments(client, [path], undefined, "").catch(String);
    expect(await aws(advised("aws secretsmanager put-secret-value", String(odd)), "in-use")).toMatchObject({ code: 0 });
    await checkDocuments(client, [path], undefined, "");
    expect((await held(path)).SecretString).toBe("in-use");

    await moto().secrets.deleteSecret({ SecretId: `paper/${path}`, RecoveryWindowInDays: 7 });
    const deleted = await client.check([path]).catch(String);
    expect(await client.read(path).catch(String)).toContain(advised("aws secretsmanager restore-secret", deleted));
    expect(await aws(advised("aws secretsmanager restore-secret", deleted))).toMatchObject({ code: 0 });
    expect(await client.check([path])).toContain(path);
  });

  it.skipIf(!isThere("aws"))("names the command that says who AWS thinks it is", async () => {
    const call = { action: "secretsmanager:ListSecrets", where: "paper/* in us-east-1", region: "us-east-1" };
    const refused = explainAwsText("api error UnrecognizedClientException: The security token is invalid", call) ?? "";
    const { code, said } = await inShell(advised("aws sts get-caller-identity", refused), { env: moto().env });
    expect([code, said]).toEqual([0, expect.stringContaining("Account")]);
  });

  it("names JSON and its keys, and what to do", async () => {
    const path = await secretWith(JSON_SECRET);
    const refused = await checkDocuments(awsStore(moto()), [path], undefined, "").catch(String);
    expect(refused).toContain("it is JSON: it is there under the key `password`");
    expect(refused).toContain(`\`aws secretsmanager put-secret-value --secret-id paper/${path} --region us-east-1`);
    expect(refused).not.toContain("theirs");
  });

  it("says what AWS does not let anybody ask beforehand", async () => {
    expect(await awsStore(moto()).check(["none"])).toMatch(
      /paper\/none \(will be created\); PutSecretValue and TagResource cannot be checked beforehand/,
    );
  });
});

it("AWS behind a private CA is believed through AWS_CA_BUNDLE or SSL_CERT_FILE, and not without", async () => {
  const path = await secretWith("over TLS");
  const server = await startTls(moto().address);
  try {
    for (const name of ["AWS_CA_BUNDLE", "SSL_CERT_FILE"]) {
      setEnv({ AWS_CA_BUNDLE: undefined, SSL_CERT_FILE: undefined, [name]: tls("ca.pem") });
      expect((await awsStore(moto(), server.url).read(path))?.value, name).toBe("over TLS");
    }
    setEnv({ AWS_CA_BUNDLE: undefined, SSL_CERT_FILE: undefined });
    await expect(awsStore(moto(), server.url).read(path)).rejects.toThrow(/unable to verify|self.signed/);
  } finally {
    await server.stop();
  }
});

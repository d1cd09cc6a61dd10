import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type HttpServer, readBody, startHttp } from "../../../../dev/lab/http";
import { issuerProbe, type KeyIssuer, startKeyIssuer } from "../../../../dev/lab/key-issuer";
import { connectIssuer, type IssuerReference } from "../../../../kinds/issuer/connect";
import { orphanEnded } from "../../../../kinds/issuer/orphan";

const briefly = { limit: 1500, timeout: 1000 };
let issuer: KeyIssuer & { stop(): Promise<void> };
beforeAll(async () => {
  issuer = await startKeyIssuer();
});
afterEach(() => {
  issuer.fault = undefined;
});
afterAll(() => issuer?.stop());

type Requests = Extract<IssuerReference, { readonly requests: unknown }>["requests"];

/** The lab's issuer. */
const reference = (more: Partial<Requests> = {}, verify: Partial<Requests["verify"]> = {}): IssuerReference => {
  const { request, headers, expect: wanted, identity } = issuerProbe(issuer.url);
  const [method = "", url = ""] = request.split(" ");
  return {
    requests: {
      verify: {
        ...{ method, url, headers, identity, timeout: 1000 },
        expect: { status: [wanted.status], json: wanted.json },
        revoked: { status: [401] },
        ...verify,
      },
      ...more,
    },
  };
};

describe("verify", () => {
  it("says that a key works and whose it is, and that one which was deleted is refused", async () => {
    const { key } = issuer.createKey();
    const connected = connectIssuer(reference());
    const host = new URL(issuer.url).host;
    expect(await connected.verify({ key })).toEqual({
      answer: "works",
      evidence: `${host} answers 200`,
      identity: issuer.account,
    });
    issuer.deleteKey(key);
    expect(await connected.verify({ key })).toEqual({ answer: "refused", evidence: `${host} answers 401` });
  });

  it("draws no conclusion from any other answer: a 403 that `revoked` does not name, and a server that fails", async () => {
    const { key } = issuer.createKey();
    const ask = (more = {}) => connectIssuer(reference({}, more)).verify({ key }, briefly);
    issuer.fault = { status: 403 };
    expect(await ask()).toMatchObject({ answer: "unknown", answered: true, evidence: expect.stringContaining("403") });
    expect(await ask({ revoked: { status: [401, 403] } })).toMatchObject({ answer: "refused" });
    issuer.fault = { status: 503 };
    const failing = await ask();
    expect(failing).toMatchObject({
      answer: "unknown",
      evidence: expect.stringMatching(/gives no answer: 503 .*times/),
    });
    expect(failing).not.toHaveProperty("answered");
    issuer.fault = { hangs: true };
    expect(await ask()).toMatchObject({ answer: "unknown", evidence: expect.stringContaining("no answer in time") });
  });

  it("waits as long as a limit on requests says", async () => {
    const { key } = issuer.createKey();
    issuer.fault = { status: 429, headers: { "retry-after": "0" } };
    const before = issuer.requests.length;
    const asked = connectIssuer(reference()).verify({ key });
    await expect.poll(() => issuer.requests.length).toBeGreaterThan(before + 1);
    issuer.fault = undefined;
    expect(await asked).toMatchObject({ answer: "works" });
  });

  it("needs the JSON that was expected, and the identity", async () => {
    const { key } = issuer.createKey();
    const ask = (more: Partial<Requests["verify"]>) => connectIssuer(reference({}, more)).verify({ key });
    expect(await ask({ expect: { status: [200], json: { account: { status: "CLOSED" } } } })).toMatchObject({
      answer: "unknown",
      evidence: expect.stringContaining("200 with another JSON than expected"),
    });
    expect(await ask({ identity: "$.owner" })).toMatchObject({
      answer: "unknown",
      evidence: expect.stringContaining("without a text or a number at $.owner"),
    });
  });

  it("tells answers of one status apart by their JSON, as some issuers need it", async () => {
    const { key } = issuer.createKey();
    const ask = connectIssuer(
      reference(
        {},
        {
          expect: { status: [200], json: { ok: true } },
          revoked: { status: [200], json: { account: { id: issuer.account } } },
          identity: undefined,
        },
      ),
    );
    expect(await ask.verify({ key })).toMatchObject({ answer: "refused" });
  });
});

describe("a request", () => {
  interface Got {
    readonly url: string;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }
  const got: Got[] = [];
  let server: HttpServer;
  let answer: { status: number; headers?: Record<string, string> } = { status: 200 };
  beforeAll(async () => {
    server = await startHttp(async (request, response) => {
      got.push({ url: request.url ?? "", headers: request.headers, body: await readBody(request) });
      response.writeHead(answer.status, answer.headers).end("{}");
    });
  });
  afterAll(() => server?.stop());
  const send = (verify: Partial<Requests["verify"]>, values: Readonly<Record<string, string>>) =>
    connectIssuer(
      reference(
        {},
        {
          method: "POST",
          url: `${server.url}/`,
          headers: {},
          expect: { status: [200] },
          identity: undefined,
          ...verify,
        },
      ),
    ).verify(values, briefly);

  it("follows no redirect: a key never reaches another host", async () => {
    const { key } = issuer.createKey();
    answer = { status: 302, headers: { location: `${issuer.url}/v1/account` } };
    const before = issuer.requests.length;
    expect(await send({ headers: { authorization: "Bearer {key}" } }, { key })).toMatchObject({
      answer: "unknown",
      evidence: expect.stringContaining("302"),
    });
    expect(issuer.requests.length).toBe(before);
    answer = { status: 200 };
  });

  it("has each field encoded for its place, whatever its characters", async () => {
    const value = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(value, value, async (id, key) => {
        const values = { id, key };
        const headers = { "x-key": "Key {key}", "x-token": "token={key}" };
        await send(
          { url: `${server.url}/keys/{id}?key={key}&a=b`, headers, json: { a: [{ key: "<{key}>" }] } },
          values,
        );
        const first = got.at(-1);
        const url = new URL(first?.url ?? "", server.url);
        expect(decodeURIComponent(url.pathname)).toBe(`/keys/${id}`);
        expect([url.searchParams.get("key"), url.searchParams.get("a")]).toEqual([key, "b"]);
        expect(first?.headers).toMatchObject({ "x-key": `Key ${key}`, "x-token": `token=${key}` });
        expect(JSON.parse(first?.body ?? "")).toEqual({ a: [{ key: `<${key}>` }] });

        await send({ basicAuth: "{id}:{key}", form: { token: "{key}", kind: "a b" } }, values);
        const second = got.at(-1);
        const form = new URLSearchParams(second?.body);
        expect([form.get("token"), form.get("kind")]).toEqual([key, "a b"]);
        const basic = String(second?.headers.authorization).replace("Basic ", "");
        expect(Buffer.from(basic, "base64").toString()).toBe(`${id}:${key}`);
      }),
      { numRuns: 40 },
    );
  });
});

describe("issue and revoke", () => {
  const ADMIN = "LAB_ISSUER_TOKEN";
  const host = () => new URL(issuer.url).host;
  beforeAll(() => void vi.stubEnv(ADMIN, issuer.admin));
  afterAll(() => void vi.unstubAllEnvs());
  const admin = { headers: { authorization: "Bearer {token}" }, timeout: 1000 };
  const issue = (more: Partial<NonNullable<Requests["issue"]>> = {}): NonNullable<Requests["issue"]> => ({
    ...{ method: "POST", url: `${issuer.url}/v1/keys`, ...admin, expect: { status: [201] } },
    headers: { ...admin.headers, "idempotency-key": "{id}" },
    values: { key: "$.data.key", keyId: "$.data.id" },
    ...more,
  });
  const revoke = (more: Partial<NonNullable<Requests["revoke"]>> = {}): NonNullable<Requests["revoke"]> => ({
    ...{ method: "DELETE", url: `${issuer.url}/v1/keys/{keyId}`, ...admin },
    ...{ expect: { status: [200] }, gone: { status: [404] } },
    ...more,
  });
  /** Its keys have names of their own, by which they end. */
  const named = (): Partial<Requests> => ({
    issue: issue({ headers: admin.headers, json: { name: "{id}" }, taken: { status: [409] } }),
    revoke: revoke({ url: `${issuer.url}/v1/keys?name={id}` }),
  });
  const connected = (more: Partial<Requests> = {}) =>
    connectIssuer(reference({ issue: issue(), revoke: revoke(), variables: { token: ADMIN }, ...more }));
  const failure = async (asked: Promise<unknown> | undefined): Promise<string> =>
    String(
      await asked?.then(
        () => "no error",
        (error: unknown) => error,
      ),
    );

  it("make a key that works, the same again for the same id, and end it, twice if need be", async () => {
    const made = await connected().issue?.("stack generation 2");
    expect(Object.keys(made ?? {})).toEqual(["key", "keyId"]);
    expect(await connected().verify(made ?? {})).toMatchObject({ answer: "works" });
    expect(await connected().issue?.("stack generation 2")).toEqual(made);
    expect(await connected().issue?.("stack generation 3")).not.toEqual(made);
    await connected().revoke?.(made ?? {}, "stack generation 2");
    await connected().revoke?.(made ?? {}, "stack generation 2");
    expect(await connected().verify(made ?? {})).toMatchObject({ answer: "refused" });
  });

  it("ask again if an answer was lost, and one key alone is made", async () => {
    const before = issuer.made.length;
    issuer.losesAnswer = () => undefined;
    const made = await connected().issue?.("lost");
    expect(issuer.made.slice(before).map(({ key }) => key)).toEqual([made?.key]);
    await connected().revoke?.(made ?? {}, "lost");
  });

  it("end a key that is left under its name, and make it anew", async () => {
    const before = issuer.working().length;
    const [left, made] = [await connected(named()).issue?.("a/b/1"), await connected(named()).issue?.("a/b/1")];
    expect(await connected().verify(left ?? {})).toMatchObject({ answer: "refused" });
    expect(await connected().verify(made ?? {})).toMatchObject({ answer: "works" });
    await connected(named()).revoke?.(made ?? {}, "a/b/1");
    expect(issuer.working()).toHaveLength(before);
    // If the name stays taken, nothing is tried for ever.
    issuer.createKey({ name: "a/b/2" });
    const ends = { ...named(), revoke: revoke({ url: `${issuer.url}/v1/keys?name=x{id}` }) };
    expect(await failure(connected(ends).issue?.("a/b/2"))).toContain("to have no key a/b/2 after its end, found one");
  });

  it.each(["with the same again", "by name"])("end what an interrupted update has made, %s", async (how) => {
    const more = how === "by name" ? named() : {};
    await connected(more).issue?.("interrupted");
    expect(await orphanEnded(connected(more), "interrupted")).toEqual({ warnings: [] });
    expect(issuer.working().filter(({ name }) => name === "interrupted")).toEqual([]);
    const last = issuer.made.at(-1);
    expect(await connected().verify({ key: last?.key ?? "" })).toMatchObject({ answer: "refused" });
  });

  it("are sent once if the request names no id, make one key alone, and none that ends what was left", async () => {
    const once = connected({ issue: issue({ headers: admin.headers }) });
    issuer.fault = { status: 503 };
    const before = issuer.requests.length;
    await expect(once.issue?.("a")).rejects.toThrow(/503 .*asked once.*it may have made a key that nobody knows/);
    expect(issuer.requests.length).toBe(before + 1);
    issuer.fault = undefined;
    const { warnings } = await orphanEnded(once, "a");
    expect(warnings).toEqual([expect.stringContaining("`issue` in the config has no {id} to find it by")]);
    expect(issuer.requests.length).toBe(before + 1);
  });

  it("take numbers for texts, as issuers have them that count their keys", async () => {
    const server = await startHttp((_, response) => {
      response.writeHead(201).end(JSON.stringify({ id: 7, keys: [{ key: "k-7" }] }));
    });
    const url = `${server.url}/keys`;
    const counting = connected({ issue: issue({ url, values: { keyId: "$.id", key: "$.keys[0].key" } }) });
    expect(await counting.issue?.("a")).toEqual({ keyId: "7", key: "k-7" });
    await server.stop();
  });

  it("are done by commands where the config has them", async () => {
    const command = (commands: object) => ({
      ...{ secretName: "market-data/api-key", fields: ["key"], timeout: 10_000, commands },
      variables: [ADMIN],
    });
    const made = `printf '{"values":{"key":"%s"}}' "$${ADMIN}"`;
    const issuing = connectIssuer({
      ...reference({
        revoke: revoke({ method: "POST", url: `${issuer.url}/v1/revoke`, json: { key: "{key}" } }),
        variables: { token: ADMIN },
      }),
      commands: { issue: command({ issue: made }) },
    } as IssuerReference);
    expect([issuing.repeats, await issuing.issue?.("a")]).toEqual([true, { key: issuer.admin }]);
    const { key } = issuer.createKey();
    await issuing.revoke?.({ key }, "a");
    expect(await issuing.verify({ key })).toMatchObject({ answer: "refused" });
    const ending = connectIssuer({
      ...reference({ issue: issue(), variables: { token: ADMIN } }),
      commands: { revoke: command({ revoke: "exit 3" }) },
    } as IssuerReference);
    expect(await failure(ending.revoke?.({ key }, "a"))).toContain("the command for revoke, `exit 3`, failed");
    expect(await ending.issue?.("by request")).toHaveProperty("key");
  });

  it("say what was expected and found, and nothing of a credential", async () => {
    vi.stubEnv("WRONG_TOKEN", "wrong-administrator");
    const wrong = connected({ variables: { token: "WRONG_TOKEN" } });
    const said = await failure(wrong.issue?.("a"));
    expect(said).toContain(`expected ${host()} to answer 201 to \`issue\`, found 401`);
    expect(said).not.toContain("wrong-administrator");
    expect(await failure(connected({ issue: issue({ values: { key: "$.data.secret" } }) }).issue?.("b"))).toContain(
      "to hold key at $.data.secret, found none",
    );
    expect(await failure(wrong.revoke?.({ key: "some-key", keyId: "7" }, "a"))).toContain(
      `expected ${host()} to answer 200 or 404 to \`revoke\`, found 401`,
    );
    const unknown = await failure(connected().revoke?.({ key: "some-key" }, "prod/a/1"));
    expect(unknown).toContain(`expected the stack to have kept {keyId} of the key prod/a/1, which \`revoke\` names`);
    expect(unknown).not.toContain("some-key");
    expect(await failure(connected({ variables: { token: "NO_SUCH_TOKEN" } }).issue?.("a"))).toContain(
      "expected the environment to have NO_SUCH_TOKEN (config key `variables`), found nothing there",
    );
    vi.stubEnv("WRONG_TOKEN", "two\nlines-of-a-token");
    expect(await failure(wrong.issue?.("a"))).toBe(
      "StepError: expected ASCII in one line in WRONG_TOKEN, found other text",
    );
  });

  it("are left out where only the operator makes keys", () => {
    const { issue: make, revoke: end } = connectIssuer(reference());
    expect([make, end]).toEqual([undefined, undefined]);
  });
});

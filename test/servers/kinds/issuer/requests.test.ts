import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type HttpServer, readBody, startHttp } from "../../../../dev/lab/http";
import { issuerProbe, type KeyIssuer, startKeyIssuer } from "../../../../dev/lab/key-issuer";
import { connectIssuer, type IssuerReference } from "../../../../kinds/issuer/connect";

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
  const admin = () => ({ headers: { authorization: "Bearer {token}" }, timeout: 1000 });
  const issue = (more: Partial<NonNullable<Requests["issue"]>> = {}): NonNullable<Requests["issue"]> => ({
    ...{ method: "POST", url: `${issuer.url}/v1/keys`, ...admin(), expect: { status: [201] } },
    headers: { ...admin().headers, "idempotency-key": "{id}" },
    values: { key: "$.data.key" },
    ...more,
  });
  const revoke = (): NonNullable<Requests["revoke"]> => ({
    ...{ method: "POST", url: `${issuer.url}/v1/revoke`, ...admin(), json: { key: "{key}" } },
    expect: { status: [200] },
    gone: { status: [404] },
  });
  const connected = (more: Partial<Requests> = {}) =>
    connectIssuer(reference({ issue: issue(), revoke: revoke(), token: issuer.admin, ...more }));

  it("make a key that works, the same again for the same id, and end it, twice if need be", async () => {
    const made = await connected().issue?.("stack generation 2");
    expect(await connected().verify(made ?? {})).toMatchObject({ answer: "works" });
    expect(await connected().issue?.("stack generation 2")).toEqual(made);
    expect(await connected().issue?.("stack generation 3")).not.toEqual(made);
    await connected().revoke?.(made ?? {}, "stack generation 2");
    await connected().revoke?.(made ?? {}, "stack generation 2");
    expect(await connected().verify(made ?? {})).toMatchObject({ answer: "refused" });
  });

  it("make one key alone if the request names no id: it is sent once", async () => {
    issuer.fault = { status: 503 };
    const before = issuer.requests.length;
    const { headers } = admin();
    await expect(connected({ issue: issue({ headers }) }).issue?.("a")).rejects.toThrow(/503 .*asked once/);
    expect(issuer.requests.length).toBe(before + 1);
  });

  it("say what was expected and found, and nothing of a credential", async () => {
    const failure = async (asked: Promise<unknown> | undefined) =>
      String(
        await asked?.then(
          () => "no error",
          (error: unknown) => error,
        ),
      );
    const host = new URL(issuer.url).host;
    const wrong = await failure(connected({ token: "wrong-administrator" }).issue?.("a"));
    expect(wrong).toContain(`expected ${host} to answer 201 to \`issue\`, found 401`);
    expect(wrong).not.toContain("wrong-administrator");
    expect(await failure(connected({ issue: issue({ values: { key: "$.data.secret" } }) }).issue?.("b"))).toContain(
      "to hold key at $.data.secret, found none",
    );
    expect(await failure(connected({ token: "wrong-administrator" }).revoke?.({ key: "some-key" }, "a"))).toContain(
      `expected ${host} to answer 200 or 404 to \`revoke\`, found 401`,
    );
  });

  it("are left out where only the operator makes keys", () => {
    const { issue: make, revoke: end } = connectIssuer(reference());
    expect([make, end]).toEqual([undefined, undefined]);
  });
});

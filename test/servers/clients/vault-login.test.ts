import { type ChildProcess, spawn } from "node:child_process";
import { createSign, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { logInToVault } from "../../../clients/vault-login";
import { auth as authSchema } from "../../../stores/vault/login/schema";
import { useOpenBao } from "../steps/store-support";

const bao = useOpenBao();
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

function jwt(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iat: now, nbf: now - 5, exp: now + 300, ...claims })}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(keys.privateKey, "base64url")}`;
}

const place = (more: object = {}) => ({ address: bao().address, ...more });
const lookUp = async (token: string, namespace?: string) => {
  const headers = { "X-Vault-Token": token, ...(namespace === undefined ? {} : { "X-Vault-Namespace": namespace }) };
  const answer = await fetch(`${bao().address}/v1/auth/token/lookup-self`, { headers });
  const { data } = (await answer.json()) as { data?: { display_name: string; policies: string[] } };
  return answer.ok ? data : undefined;
};

let roleId: string;
let secretId: string;

beforeAll(async () => {
  const { request } = bao();
  await request("POST", "sys/auth/team/approle", { type: "approle" });
  await request("POST", "auth/team/approle/role/rotation", { token_policies: ["default"], token_ttl: "20m" });
  roleId = ((await request("GET", "auth/team/approle/role/rotation/role-id")).data as { role_id: string }).role_id;
  const made = await request("POST", "auth/team/approle/role/rotation/secret-id", {});
  secretId = (made.data as { secret_id: string }).secret_id;
  await request("POST", "sys/auth/jwt", { type: "jwt" });
  const key = keys.publicKey.export({ type: "spki", format: "pem" });
  await request("POST", "auth/jwt/config", { jwt_validation_pubkeys: [key] });
  const role = { role_type: "jwt", user_claim: "sub", bound_audiences: ["rotation"], token_policies: ["default"] };
  await request("POST", "auth/jwt/role/deploy", { ...role, bound_subject: "repo:desk/platform" });
});

afterEach(() => void vi.unstubAllEnvs());

describe("a login to a real Vault", () => {
  it("by AppRole, at a mount with a path", async () => {
    const auth = authSchema.parse({ method: "approle", roleId, mount: "team/approle" });
    expect(await lookUp(await logInToVault(place(), auth, secretId))).toMatchObject({ display_name: "team-approle" });
    await expect(logInToVault(place(), auth, "another")).rejects.toThrow(
      /the login to Vault by approle at auth\/team\/approle fails: .*invalid role or secret ID.*pulumi config set --secret vaultSecretId/,
    );
  });

  it("by AppRole in a namespace", async () => {
    await bao().request("POST", "sys/namespaces/desk", {});
    const inside = async (method: string, path: string, body?: unknown) => {
      const headers = { "X-Vault-Token": bao().rootToken, "X-Vault-Namespace": "desk" };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const text = await (await fetch(`${bao().address}/v1/${path}`, init)).text();
      return (text === "" ? {} : JSON.parse(text)) as { data: Record<string, string> };
    };
    await inside("POST", "sys/auth/approle", { type: "approle" });
    await inside("POST", "auth/approle/role/own", { token_policies: ["default"] });
    const { role_id = "" } = (await inside("GET", "auth/approle/role/own/role-id")).data;
    const { secret_id = "" } = (await inside("POST", "auth/approle/role/own/secret-id", {})).data;
    const auth = authSchema.parse({ method: "approle", roleId: role_id });
    const token = await logInToVault(place({ namespace: "desk" }), auth, secret_id);
    expect(await lookUp(token, "desk")).toBeDefined();
    await expect(logInToVault(place(), auth, secret_id)).rejects.toThrow(/at auth\/approle fails/);
  });

  it("by a token of GitHub Actions, for an audience", async () => {
    const server = createServer((request, response) => {
      const audience = new URL(request.url ?? "", "http://here").searchParams.get("audience");
      const known = request.headers.authorization === "Bearer of-the-job";
      const value = jwt({ sub: "repo:desk/platform", aud: audience });
      response.writeHead(known ? 200 : 401).end(JSON.stringify({ value }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    vi.stubEnv("ACTIONS_ID_TOKEN_REQUEST_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}/?api=2`);
    vi.stubEnv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job");
    const auth = (audience: string) => authSchema.parse({ method: "jwt", role: "deploy", audience });
    expect(await lookUp(await logInToVault(place(), auth("rotation")))).toBeDefined();
    await expect(logInToVault(place(), auth("others"))).rejects.toThrow(/by jwt at auth\/jwt fails: .*audience/);
    vi.stubEnv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-another-job");
    await expect(logInToVault(place(), auth("rotation"))).rejects.toThrow(
      "GitHub Actions gives no token: it answers 401",
    );
    vi.stubEnv("ACTIONS_ID_TOKEN_REQUEST_URL", "");
    await expect(logInToVault(place(), auth("rotation"))).rejects.toThrow(/id-token: write/);
  });

  it("by a token in a variable or a file, also a service account's of Kubernetes", async () => {
    const token = jwt({ sub: "repo:desk/platform", aud: "rotation" });
    vi.stubEnv("CI_VAULT_TOKEN_OF_JOB", token);
    const byVariable = authSchema.parse({ method: "jwt", role: "deploy", tokenVariable: "CI_VAULT_TOKEN_OF_JOB" });
    expect(await lookUp(await logInToVault(place(), byVariable))).toBeDefined();
    const folder = mkdtempSync(join(tmpdir(), "service-account-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "token");
    // Vault's `kubernetes` method takes the same request as `jwt`, which validates a cluster's tokens without its API.
    const auth = authSchema.parse({ method: "kubernetes", mount: "jwt", role: "deploy", tokenFile: file });
    await expect(logInToVault(place(), auth)).rejects.toThrow(/store\.auth\.tokenFile: ENOENT/);
    writeFileSync(file, `${token}\n`);
    expect(await lookUp(await logInToVault(place(), auth))).toBeDefined();
  });
});

describe("the session of a run", () => {
  /** A run that opens a session, prints its token, and waits. */
  function run(order: object): Promise<{ token: string; child: ChildProcess }> {
    const program = join(projectRoot(), "dist/steps/vault-session.mjs");
    const script = `const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, [${JSON.stringify(program)}], { detached: true, stdio: ["pipe", "pipe", "ignore"] });
      child.stdin.write(process.env.ORDER + "\\ntoken\\n");
      child.stdout.on("data", (text) => process.stdout.write(text));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["-e", script], {
      env: { ...process.env, ORDER: JSON.stringify(order) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return new Promise((resolve) =>
      child.stdout?.once("data", (text: Buffer) => resolve({ ...JSON.parse(String(text)), child })),
    );
  }

  it.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)("revokes the token when the run ends by %s", async (signal) => {
    const auth = { method: "approle", roleId, mount: "team/approle" };
    const { token, child } = await run({ place: place(), auth, secretId });
    expect(await lookUp(token)).toBeDefined();
    child.kill(signal);
    await expect.poll(() => lookUp(token), { timeout: 30_000 }).toBeUndefined();
  });

  it("says why there is no token, without a secret", async () => {
    const auth = { method: "approle", roleId, mount: "team/approle" };
    const answer = (await run({ place: place(), auth, secretId: "of-nobody-at-all" })) as unknown as { error: string };
    expect(answer.error).toMatch(/the login to Vault by approle/);
    expect(answer.error).not.toContain("of-nobody-at-all");
  });
});

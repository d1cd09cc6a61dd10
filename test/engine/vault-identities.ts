import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

type Request = (method: string, path: string, body?: object) => Promise<{ data?: unknown }>;
type Claims = Readonly<Record<string, unknown>>;

const TLS = join(import.meta.dirname, "..", "tls");

/** The life of a run's token. */
const LIFE = { token_ttl: "20m", token_max_ttl: "1h", token_policies: ["pipeline"] };

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A signed token (RS256) that is valid for `seconds` from now. */
function jwt(key: KeyObject, claims: Claims, seconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iat: now - 600, nbf: now - 600, exp: now + seconds, ...claims })}`;
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

/** A CI system that gives jobs a token, known to Vault by its public key: `auth/jwt` with the role `rotation`. */
export async function ciSystem(request: Request) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  await request("POST", "sys/auth/jwt", { type: "jwt" });
  await request("POST", "auth/jwt/config", { jwt_validation_pubkeys: [pem], bound_issuer: "https://ci.test" });
  await request("POST", "auth/jwt/role/rotation", {
    ...{ role_type: "jwt", user_claim: "sub", bound_audiences: ["https://vault.test"], ...LIFE },
  });
  const claims = { iss: "https://ci.test", sub: "repo:desk/platform", aud: "https://vault.test" };
  return {
    token: (more: Claims = {}, seconds = 3600) => jwt(privateKey, { ...claims, ...more }, seconds),
  };
}

/** Kubernetes as far as Vault asks it: its TokenReview, over TLS. `auth/kubernetes` has the role `rotation`. */
export async function kubernetes(request: Request) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const account = { namespace: "trading", name: "rotation", uid: "0a1b-2c3d" };
  const username = `system:serviceaccount:${account.namespace}:${account.name}`;
  const claims = {
    iss: "https://kubernetes.default.svc.cluster.local",
    sub: username,
    aud: ["https://kubernetes.default.svc.cluster.local"],
    "kubernetes.io": { namespace: account.namespace, serviceaccount: { name: account.name, uid: account.uid } },
  };
  const make = () => jwt(privateKey, claims, 3600);
  const reviewer = make();
  const known = new Set<string>();
  const asked: string[] = [];
  const server = createServer(
    { key: readFileSync(join(TLS, "server.key")), cert: readFileSync(join(TLS, "server.pem")) },
    (message, answer) => {
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => {
        asked.push(message.url ?? "");
        if (message.headers.authorization !== `Bearer ${reviewer}`) return answer.writeHead(401).end();
        const { spec } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { spec: Record<string, string> };
        const { token = "", audiences } = spec;
        const status = known.has(token)
          ? { authenticated: true, audiences, user: { username, uid: account.uid, groups: ["system:serviceaccounts"] } }
          : { authenticated: false, error: "invalid bearer token" };
        answer.setHeader("Content-Type", "application/json");
        answer
          .writeHead(201)
          .end(JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status }));
      });
    },
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await request("POST", "sys/auth/kubernetes", { type: "kubernetes" });
  await request("POST", "auth/kubernetes/config", {
    ...{ kubernetes_host: `https://127.0.0.1:${port}`, kubernetes_ca_cert: readFileSync(join(TLS, "ca.pem"), "utf8") },
    ...{ token_reviewer_jwt: reviewer, disable_local_ca_jwt: true },
  });
  await request("POST", "auth/kubernetes/role/rotation", {
    bound_service_account_names: [account.name],
    bound_service_account_namespaces: [account.namespace],
    ...LIFE,
  });
  return {
    /** What was asked of the API. */
    asked,
    /** A service account's token; unless it is `mounted`, the API does not know it. */
    token: (mounted = true) => {
      const made = make();
      if (mounted) known.add(made);
      return made;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

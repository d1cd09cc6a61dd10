// A small issuer to try the commands with: `ISSUER_TOKEN=try-me node example-issuer.mjs`. It keeps its keys in memory, and
// like most issuers shows a key's secret once. Delete this file when your own issuer is in api.mjs.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const { ISSUER_TOKEN, PORT = "8787" } = process.env;
if (!ISSUER_TOKEN) throw new Error("expected ISSUER_TOKEN in the environment, found none");

/** By key id. */
const keys = new Map();

const server = createServer(async (request, response) => {
  const send = (status, body) => response.writeHead(status).end(body && JSON.stringify(body));
  const { pathname, searchParams } = new URL(request.url, "http://issuer");
  const [scheme, given = ""] = (request.headers.authorization ?? "").split(" ");
  if (pathname === "/account") {
    const [keyId, secretKey] = Buffer.from(given, "base64").toString().split(":");
    const works = scheme === "Basic" && keys.get(keyId)?.secretKey === secretKey && secretKey !== undefined;
    return works ? send(200, { account: "A-1" }) : send(401);
  }
  if (given !== ISSUER_TOKEN) return send(403);
  if (request.method === "GET" && pathname === "/keys") {
    const named = [...keys].filter(([, { name }]) => name === searchParams.get("name"));
    return send(
      200,
      named.map(([keyId, { name }]) => ({ keyId, name })),
    );
  }
  if (request.method === "POST" && pathname === "/keys") {
    const { name } = await json(request);
    const made = { keyId: `K${randomBytes(8).toString("hex")}`, secretKey: randomBytes(24).toString("base64url") };
    keys.set(made.keyId, { name, secretKey: made.secretKey });
    return send(201, made);
  }
  if (request.method === "DELETE") return send(keys.delete(decodeURIComponent(pathname.slice(6))) ? 204 : 404);
  return send(404);
});

server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));

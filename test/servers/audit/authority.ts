import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An authority of time stamps on loopback, which OpenSSL itself plays. */
export interface Authority {
  readonly url: string;
  /** The file with its certificate, its own root. */
  readonly certificate: string;
  stop(): Promise<void>;
}

const settings = (file: (name: string) => string) => `[req]
distinguished_name = name
[name]
[config]
serial = ${file("serial")}
crypto_device = builtin
signer_cert = ${file("tsa.pem")}
signer_key = ${file("tsa.key")}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
`;

/** Starts one with a key of its own. Every path but `/` answers 503. */
export async function startAuthority(folder: string, name = "authority"): Promise<Authority> {
  const dir = join(folder, name);
  await mkdir(dir);
  const file = (one: string) => join(dir, one);
  await writeFile(file("tsa.cnf"), settings(file));
  await writeFile(file("serial"), "01\n");
  const usage = ["extendedKeyUsage=critical,timeStamping", "keyUsage=critical,digitalSignature"];
  const subject = ["-subj", `/CN=${name}`, "-days", "2", "-nodes", "-newkey", "rsa:2048"];
  const out = ["-keyout", file("tsa.key"), "-out", file("tsa.pem"), "-config", file("tsa.cnf")];
  await run("openssl", ["req", "-x509", ...subject, ...usage.flatMap((one) => ["-addext", one]), ...out]);
  const reply = async (query: Buffer) => {
    await writeFile(file("query.tsq"), query);
    const args = ["-queryfile", file("query.tsq"), "-out", file("reply.tsr")];
    await run("openssl", ["ts", "-reply", "-config", file("tsa.cnf"), "-section", "config", ...args]);
    return readFile(file("reply.tsr"));
  };
  const server = createServer((request, response) => {
    if (request.url !== "/") return response.writeHead(503).end();
    buffer(request)
      .then(reply)
      .then(
        (bytes) => response.writeHead(200, { "content-type": "application/timestamp-reply" }).end(bytes),
        () => response.writeHead(500).end(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    certificate: file("tsa.pem"),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

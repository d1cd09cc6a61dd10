import type { Problem } from "../core/problem";
import type { EventTargetConfig } from "./event-schema";

/** `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks wants it. */
const SIGNING_KEY = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/;

/** Whether a text is a signing key. */
export function isSigningKey(text: string): boolean {
  const [, encoded] = SIGNING_KEY.exec(text) ?? [];
  const { length } = Buffer.from(encoded ?? "", "base64");
  return encoded !== undefined && encoded.length % 4 === 0 && length >= 24 && length <= 64;
}

/** What a schema of single keys cannot check. @param isLoopback whether an address is this machine's own */
export function eventChecks(
  events: Readonly<Record<string, EventTargetConfig>>,
  isLoopback: (address: string) => boolean,
): Problem[] {
  return Object.entries(events).flatMap(([name, target]): Problem[] => {
    const path = ["events", name];
    if (target.kind === "email") return mailChecks(path, target, isLoopback);
    const { protocol, hostname } = new URL(target.url);
    const plain = protocol !== "https:" && !isLoopback(hostname);
    return [
      ...(plain ? [{ path: [...path, "url"], message: "expected an https:// address, found http://" }] : []),
      ...(target.kind === "webhook" && !isSigningKey(target.secret)
        ? [{ path: [...path, "secret"], message: `expected whsec_ and 24 to 64 bytes in base64: ${HOW(name)}` }]
        : []),
    ];
  });
}

const HOW = (name: string) =>
  `\`echo "whsec_$(openssl rand -base64 32)" | pulumi config set --secret --path events.${name}.secret\``;

/** A mail server's certificate is always checked, except on this machine. */
export function mailChecks(
  path: readonly string[],
  { host, verifyCertificate }: { readonly host: string; readonly verifyCertificate: boolean },
  isLoopback: (address: string) => boolean,
): Problem[] {
  if (verifyCertificate || isLoopback(host)) return [];
  const message = `expected true: ${host} is not a loopback address; name a private authority in NODE_EXTRA_CA_CERTS`;
  return [{ path: [...path, "verifyCertificate"], message }];
}

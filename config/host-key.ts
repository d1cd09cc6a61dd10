import { type HostNames, isForHost, knownHost } from "../core/known-host";

/** The types of host keys that an SSH server shows today, and how long such a key is in bytes, if that is fixed. */
const LENGTHS: Readonly<Record<string, number | undefined>> = {
  "ssh-ed25519": 51,
  "ecdsa-sha2-nistp256": 104,
  "ecdsa-sha2-nistp384": 136,
  "ecdsa-sha2-nistp521": 172,
  "ssh-rsa": undefined,
};

/** What is wrong with a public host key; `none` if the text is none at all. Undefined if it is right. */
export function hostKeyProblem(text: string): "none" | string | undefined {
  const { type, key } = knownHost(text) ?? { type: "", key: "" };
  if (type.includes("-cert-"))
    return "expected a public key, found a certificate: put the key of the authority that signs it here, as `@cert-authority * ssh-ed25519 AAAA...`";
  if (type === "") return "none";
  if (!Object.hasOwn(LENGTHS, type)) {
    return `expected a host key of the type ${Object.keys(LENGTHS).join(", ")}, found one of the type ${type}`;
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return "expected a host key in base64, found other characters in it";
  const blob = Buffer.from(key, "base64");
  // A placeholder, which no host has: the connection will fail on it.
  if (blob.length < 8) return undefined;
  const named = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1");
  if (named !== type) return `expected a host key of the type ${type}, as it says itself, found another in it`;
  const length = LENGTHS[type];
  if (length === undefined ? blob.length > 100 : blob.length === length) return undefined;
  return `expected a whole host key, found ${blob.length} bytes of ${length ?? "at least 100"}: copy it again (\`ssh-keyscan -p PORT ADDRESS\`)`;
}

/** What is wrong with a host's keys together. @returns the place in the list, and what was expected */
export function hostKeyProblems(host: HostNames & { readonly hostKey: string | readonly string[] }) {
  const lines = [host.hostKey].flat().map((text) => knownHost(text));
  const { address, port, hostKeyAlias } = host;
  const problems = lines.flatMap((line, index) =>
    line === undefined || isForHost(line, host)
      ? []
      : [
          {
            index,
            message:
              `expected a line for ${hostKeyAlias ?? address}, found one for ${line.names}; leave the names out, or set ` +
              `hostKeyAlias to the name by which ${address}:${port} is known`,
          },
        ],
  );
  if (lines.every((line) => line?.marker === "revoked"))
    problems.push({
      index: 0,
      message: "expected a key that is not @revoked, found none: then no connection is possible",
    });
  return problems;
}

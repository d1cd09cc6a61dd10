/** The types of host keys that an SSH server shows today, and how long such a key is in bytes, if that is fixed. */
const LENGTHS: Readonly<Record<string, number | undefined>> = {
  "ssh-ed25519": 51,
  "ecdsa-sha2-nistp256": 104,
  "ecdsa-sha2-nistp384": 136,
  "ecdsa-sha2-nistp521": 172,
  "ssh-rsa": undefined,
};

/** `ssh2` can neither ask for a host certificate nor check one. */
const CERTIFICATE =
  "expected the host's own public key, found that of an SSH authority or a certificate: this program does not check host " +
  "certificates. Put the host's key here, after comparing it on the host; with a new host comes a new key";

/** What is wrong with a public host key; `none` if the text is none at all. Undefined if it is right. */
export function hostKeyProblem(text: string): "none" | string | undefined {
  const [type = "", key = ""] = text.trim().split(/\s+/);
  if (type === "@cert-authority" || type.includes("-cert-")) return CERTIFICATE;
  if (!/^(ssh|ecdsa|sk)-/.test(type) || key === "") return "none";
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

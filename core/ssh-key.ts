/** What opens a host: a private key, also one with a passphrase; undefined: the SSH agent. */
export type SshKey = string | { readonly key: string; readonly passphrase: string } | undefined;

/** The config's {@link SshKey}. */
export function sshKeyOf(config: {
  readonly sshPrivateKey?: string | undefined;
  readonly sshKeyPassphrase?: string | undefined;
}): SshKey {
  const { sshPrivateKey: key, sshKeyPassphrase: passphrase } = config;
  return key === undefined || passphrase === undefined ? key : { key, passphrase };
}

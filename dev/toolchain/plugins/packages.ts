/** The packages an offline plugin exists for, and the version of the real plugin each one was held to. */
export const offlineVersions = {
  random: "4.21.2",
  command: "1.2.1",
  postgresql: "3.18.1",
  vault: "7.8.0",
  aws: "7.48.0",
} as const;

/** A package whose real plugin can be stood in for without a network. */
export type OfflinePackage = keyof typeof offlineVersions;

/** The names of all of them: one launcher `pulumi-resource-<name>` each. */
export const offlinePackages = [
  "random",
  "command",
  "postgresql",
  "vault",
  "aws",
] as const satisfies readonly OfflinePackage[];

/** Whether a name, as given on a command line, is one of the offline packages. */
export function isOfflinePackage(name: string | undefined): name is OfflinePackage {
  return name !== undefined && Object.hasOwn(offlineVersions, name);
}

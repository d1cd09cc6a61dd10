// The process behind `pulumi-resource-<package>`: serves one package, prints its port, and ends when the engine does.
import { labOnly } from "./lab-only";
import { isOfflinePackage, type OfflinePackage, offlinePackages, offlineVersions } from "./packages";
import type { Provider } from "./provider";
import { serve } from "./server";

// Loaded one at a time: each `pulumi` command starts every plugin, and drivers are slow to load.
const providers: Record<OfflinePackage, () => Promise<Provider>> = {
  random: async () => (await import("./random")).randomProvider(),
  command: async () => (await import("./command")).commandProvider(),
  postgresql: async () => (await import("./postgresql")).postgresqlProvider(process.env),
  vault: async () => (await import("./vault")).vaultProvider(process.env),
  aws: async () => (await import("./aws")).awsProvider(process.env),
};

async function main(): Promise<void> {
  const [name, ...rest] = process.argv.slice(2);
  if (!isOfflinePackage(name)) {
    throw new Error(`expected a package (${offlinePackages.join(", ")}), found ${name ?? "nothing"}`);
  }
  const engineAddress = rest.find((argument) => !argument.startsWith("-"));
  const provider = await providers[name]();
  const guard = labOnly({ name, version: offlineVersions[name], folder: process.cwd() });
  const server = await serve({ package: name, version: offlineVersions[name], provider, engineAddress, guard });
  process.stdout.write(`${server.port}\n`);
  // The engine holds the other end of stdin: it closes when the engine ends, however it ends. What is under way
  // is finished first, so that no half-done change is left behind.
  process.stdin.resume();
  process.stdin.once("end", () => void server.close().then(() => process.exit(0)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});

// The process behind `pulumi-resource-<package>`: serves one package, prints its port, and ends after the engine.

import { messageOf } from "../../../core/errors";
import { FIVE_MINUTES, whenGone } from "./engine-health";
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
  const flag = rest.find((argument) => argument.startsWith("-"));
  const asksVersion = flag?.replace(/^--?/, "") === "version";
  // As the real ones: those made from Terraform providers know it, the others do not.
  if (asksVersion && name !== "command") return void process.stdout.write(`${offlineVersions[name]}\n`);
  if (asksVersion) throw new Error("flag provided but not defined: -version");
  const engineAddress = rest.find((argument) => !argument.startsWith("-"));
  const provider = await providers[name]();
  const guard = labOnly({ name, version: offlineVersions[name], folder: process.cwd() });
  const server = await serve({ package: name, version: offlineVersions[name], provider, engineAddress, guard });
  process.stdout.write(`${server.port}\n`);
  // As the real plugins: standard input means nothing. SIGINT is the engine's farewell, and one that was killed is missed
  // within five minutes. What is under way is finished first, so that no half-done change is left behind.
  const end = () => void server.close().then(() => process.exit(0));
  process.once("SIGINT", end);
  if (engineAddress !== undefined) void whenGone(engineAddress, FIVE_MINUTES).then(end);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 2;
});

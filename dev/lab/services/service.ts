// A service of the platform, as a process: `node service.mjs CONFIG [--dry-run]`.
import { readFileSync } from "node:fs";
import { setDefaultAutoSelectFamily } from "node:net";
import { pause } from "../poll";
import { healthServer, readFault } from "./health";
import { LoadWorker } from "./load";
import { Runtime } from "./runtime";
import { storeReader } from "./store";
import type { ServiceConfig } from "./types";

function log(level: "INFO" | "ERROR", message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${level}: ${message}\n`);
}

async function serve(config: ServiceConfig, runtime: Runtime): Promise<void> {
  const fault = readFault(config.files.fault);
  if (fault?.kind === "crashes") {
    log("ERROR", "a fault of the lab: this service ends at its start");
    process.exit(1);
  }
  if (fault?.kind === "slow-start") await pause(fault.ms);
  const load = new LoadWorker(config, runtime.credentials);
  process.on("SIGTERM", () => {
    load.stop();
    log("INFO", `${config.name} stops`);
    process.exit(0);
  });
  process.on("SIGHUP", () => void runtime.reload());
  const server = healthServer(
    () => runtime.health(),
    config.files.fault,
    () => runtime.reload(),
  );
  server.listen(config.port, config.address, () => log("INFO", `${config.name} listens on port ${config.port}`));
  await runtime.start();
  load.start();
}

/** The platform's `--dry-run`: everything up to the first order, which is never sent. */
async function dryRun(config: ServiceConfig, runtime: Runtime): Promise<void> {
  try {
    await runtime.load();
    log("INFO", `${config.name}: dry run finished`);
    process.exit(0);
  } catch (error) {
    log("ERROR", error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as ServiceConfig;
setDefaultAutoSelectFamily(false);
const atStart = readFault(config.files.fault);
const versions = atStart?.kind === "old-credential" ? atStart.versions : undefined;
const runtime = new Runtime(config, storeReader(config.store, versions), log);
void (process.argv.includes("--dry-run") ? dryRun(config, runtime) : serve(config, runtime));

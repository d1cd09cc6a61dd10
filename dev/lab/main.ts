import { Command, Option } from "commander";
import { messageOf } from "../../core/errors";
import { resolveToolchain } from "../toolchain/resolve";
import { accessLines, accessOf } from "./access";
import { startPlatform } from "./demo/platform";
import type { Strategy } from "./deploy";
import { expectSignal, isEnding } from "./guard";
import { writeEnvFile } from "./shell";

interface Options {
  readonly json: boolean;
  readonly store: "vault" | "aws";
  readonly strategy: Strategy;
}

/** A closed pipe does not end the lab. */
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

const say = (text: string) => void process.stderr.write(`${text}\n`);

async function lab({ json, store, strategy }: Options): Promise<void> {
  const tools = await resolveToolchain({
    need: ["pulumi", "openbao", ...(store === "aws" ? (["moto"] as const) : [])],
    onProgress: say,
  });
  say("starting PostgreSQL, the store, Alpaca, a host and its services ...");
  const platform = await startPlatform(tools, { store, strategy });
  const access = accessOf(platform, await writeEnvFile(platform.lab, platform.stack, tools));
  expectSignal();
  process.stdout.write(json ? `${JSON.stringify(access)}\n` : `${accessLines(access).join("\n")}\n`);
}

const program = new Command("lab")
  .description(
    "Starts a trading platform on this machine, with a stack that is configured and has never run, and waits.\n" +
      "SIGINT (Ctrl-C) or SIGTERM ends it and removes everything.",
  )
  .option("--json", "print how to reach everything as one JSON object on one line, when all is ready", false)
  .addOption(
    new Option("--store <kind>", "where the services read their secrets").choices(["vault", "aws"]).default("vault"),
  )
  .addOption(
    new Option("--strategy <name>", "how the databases' passwords rotate")
      .choices(["alternating-users", "single-user"])
      .default("alternating-users"),
  )
  .addHelpText(
    "after",
    `
Example:
  npm run lab                       # then, in another shell, what it prints
  npm run --silent lab -- --json --strategy single-user > lab.json &
  . "$(jq -r .envFile lab.json)"    # when the line is there
  cd "$(jq -r .projectDir lab.json)" && pulumi up --yes && rotation status
  kill "$(jq .pid lab.json)"`,
  );

/** Why the start failed, and what to do. */
function explain(error: unknown): string {
  const text = messageOf(error);
  const advice = /EADDRINUSE|address already in use|no free port/i.test(text)
    ? "\nAnother program took a port of the lab in the meantime. Run it again; `ss -ltnp` shows which program listens on which port."
    : "";
  return `The lab did not start, and nothing of it is left.\n${text}${advice}`;
}

program.action(lab);
program.parseAsync().catch((error: unknown) => {
  // The signal that ended the start says enough.
  if (isEnding()) return;
  say(explain(error));
  process.exitCode = 1;
});

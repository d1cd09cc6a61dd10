import type { Command } from "commander";
import { askForPair } from "../ask-for-pair";
import { type CommonOptions, common, print, printJson, projectOf } from "../run-command";

interface AlpacaOptions extends CommonOptions {
  readonly secret?: string;
}

/** `rotation alpaca` */
export function registerAlpaca(program: Command): void {
  const alpaca = program
    .command("alpaca")
    .description("Alpaca's key pairs, which only its dashboard can create and delete")
    .addHelpText("after", "\nExample:\n  rotation alpaca add-key --stack paper");
  ofSecret(
    alpaca.command("add-key").description("test a new pair and put it into the stack's secret config"),
    'rotation alpaca add-key --stack paper\npass show alpaca/new | rotation alpaca add-key --stack prod\n  (JSON: {"label":...,"keyId":...,"secretKey":...})',
  ).action(async (options: AlpacaOptions) => {
    const { addKey, openKeyRing } = await import("../operate/alpaca-keys");
    const project = await projectOf(options);
    const ring = await openKeyRing(project, options.secret);
    const pair = await askForPair(ring);
    const { account, ...added } = await addKey(project, ring, pair, (message) => process.stderr.write(`${message}\n`));
    if (options.json) return printJson({ ...added, account: account.number });
    print(
      `${added.secret}: ${added.label} works (account ${account.number}, ${account.status}) and is in the config of ` +
        `${project.stack}${added.previous === undefined ? "" : `; ${added.previous} is kept as the previous pair`}.\n` +
        `Next: \`rotation run --stack ${project.stack}\`, or \`pulumi up --stack ${project.stack}\`.`,
    );
  });
  ofSecret(
    alpaca
      .command("forget-key")
      .description("remove the previous pair, once Alpaca refuses it, from the stack's secret config"),
    "rotation alpaca forget-key --stack paper",
  ).action(async (options: AlpacaOptions) => {
    const { forgetKey, openKeyRing } = await import("../operate/alpaca-keys");
    const project = await projectOf(options);
    const ring = await openKeyRing(project, options.secret);
    const label = await forgetKey(project, ring);
    if (options.json) return printJson({ secret: ring.secret.name, forgotten: label });
    print(
      `${ring.secret.name}: ${label} was removed from the config of ${project.stack}; the next update removes it from the state.`,
    );
  });
}

const ofSecret = (command: Command, example: string) =>
  common(command, example).option("--secret <name>", "which pair, if the stack has several");

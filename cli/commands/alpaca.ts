import type { Command } from "commander";
import { askForPair } from "../ask-for-key";
import { type CommonOptions, common, printJson, projectOf } from "../run-command";
import { forget, printAdded } from "../supplied-key";

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
    const [{ addKey, openKeyRing }, { alpacaPairs, keyOf, pairOf, placesOf }, { verifyPair }, { UsageError }] =
      await Promise.all([
        import("../operate/supplied-keys"),
        import("../../kinds/alpaca-key/supplied"),
        import("../../kinds/alpaca-key/verify"),
        import("../operate/errors"),
      ]);
    const project = await projectOf(options);
    const ring = await openKeyRing(project, alpacaPairs, options.secret);
    const { settings, secret } = ring;
    if (settings.alpaca === undefined)
      throw new UsageError("the config has no `alpaca`: expected { baseUrl }, Alpaca's API");
    const places = placesOf(settings);
    const pair = await askForPair({ places, now: ring.now });
    const { account, ...added } = await addKey(project, ring, keyOf(pair), (before) =>
      verifyPair({
        places,
        purpose: "rotation",
        pair,
        before: before && pairOf(before),
        account: secret.account,
        activationWait: settings.alpaca?.activationWait,
        onWait: (message) => process.stderr.write(`${message}\n`),
      }),
    );
    if (options.json) return printJson({ ...added, account: account.number });
    printAdded(project.stack, added, `account ${account.number}, ${account.status}`, "pair");
  });
  ofSecret(
    alpaca
      .command("forget-key")
      .description("remove the previous pair, once Alpaca refuses it, from the stack's secret config"),
    "rotation alpaca forget-key --stack paper",
  ).action(async (options: AlpacaOptions) => {
    const { alpacaPairs } = await import("../../kinds/alpaca-key/supplied");
    await forget(alpacaPairs, options.secret, options);
  });
}

const ofSecret = (command: Command, example: string) =>
  common(command, example).option("--secret <name>", "which pair, if the stack has several");

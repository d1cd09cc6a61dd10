import type { Command } from "commander";
import { askForKey } from "../ask-for-key";
import { type CommonOptions, common, printJson, projectOf } from "../run-command";
import { forget, printAdded } from "../supplied-key";

/** `rotation key` */
export function registerKey(program: Command): void {
  const key = program
    .command("key")
    .description("keys of the kind api-key, which only you can make and delete at their issuer")
    .addHelpText("after", "\nExample:\n  rotation key add market-data/api-key --stack paper");
  common(
    key.command("add <secret>").description("test a new key and put it into the stack's secret config"),
    'rotation key add market-data/api-key --stack paper\npass show new-key | rotation key add market-data/api-key --stack prod\n  (JSON: {"label":...,"values":{"key":...}})',
  ).action(async (secret: string, options: CommonOptions) => {
    const [{ addKey, openKeyRing }, { apiKeys }, { verifyKey }, { connectIssuer }, { referenceOf }] = await Promise.all(
      [
        import("../operate/supplied-keys"),
        import("../../kinds/api-key/supplied"),
        import("../../kinds/issuer/verify-key"),
        import("../../kinds/issuer/connect"),
        import("../../kinds/api-key/reference"),
      ],
    );
    const project = await projectOf(options);
    const ring = await openKeyRing(project, apiKeys, secret);
    const { account, verify } = ring.secret;
    const added = await askForKey(ring);
    const { identity, ...done } = await addKey(project, ring, added, (before) =>
      verifyKey({
        issuer: connectIssuer(referenceOf(ring.secret)),
        secret: ring.secret.name,
        purpose: "rotation",
        key: added,
        before,
        account,
        activationWait: verify.activationWait,
        supply: apiKeys.terms(ring.secret).supply.command,
        onWait: (message) => process.stderr.write(`${message}\n`),
      }),
    );
    if (options.json) return printJson({ ...done, ...(identity === undefined ? {} : { identity }) });
    printAdded(project.stack, done, identity === undefined ? undefined : `identity ${identity}`, "key");
  });
  common(
    key
      .command("forget <secret>")
      .description("remove the previous key, once its issuer refuses it, from the stack's secret config"),
    "rotation key forget market-data/api-key --stack paper",
  ).action(async (secret: string, options: CommonOptions) => {
    const { apiKeys } = await import("../../kinds/api-key/supplied");
    await forget(apiKeys, secret, options);
  });
}

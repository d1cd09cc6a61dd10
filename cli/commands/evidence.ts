import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { counted } from "../../audit/controls";
import { DAY } from "../../core/time";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface BundleOptions extends CommonOptions {
  readonly last: number;
  readonly out: string;
}

/** `rotation evidence`, `rotation evidence verify` and `rotation evidence anchor` */
export function registerEvidence(program: Command): void {
  const evidence = program
    .command("evidence")
    .description("a signed file that proves the rotations of a time, without this database and this network");
  // Otherwise options after `verify` would be taken as those of `evidence`.
  evidence.enablePositionalOptions();
  common(
    evidence,
    "rotation evidence --last 90d --out bundle.tar --stack prod\nrotation evidence verify bundle.tar --key allowed_signers",
  )
    .addOption(
      new Option("--last <duration>", "the time it covers, until now").default(90 * DAY, "90d").argParser(duration),
    )
    .option("-o, --out <file>", "the file to write", "bundle.tar")
    .action(write);
  evidence
    .command("verify")
    .description("verify a bundle; needs no network, no database and no project")
    .argument("<bundle>", "the file")
    .requiredOption(
      "-k, --key <file>",
      "whom you trust: allowed signers as ssh-keygen reads them, or public keys in PEM",
    )
    .option("--tsa-ca <file>", "root certificates of the time stamps' authority (PEM); default: not verified")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  rotation evidence verify bundle.tar --key allowed_signers")
    .action(async (bundle: string, { key, tsaCa, json }: { key: string; tsaCa?: string; json?: true }) => {
      const [{ verifyFile }, { renderBundle }] = await Promise.all([
        import("../operate/evidence/verify"),
        import("../render/evidence"),
      ]);
      const verdict = await verifyFile(bundle, key, tsaCa);
      if (json) printJson(verdict);
      else print(renderBundle(verdict));
      process.exitCode = verdict.valid ? EXIT.fine : EXIT.failed;
    });
  common(
    evidence
      .command("anchor")
      .description("note the end of the audit log outside of the database, as each run does; safe to run every hour"),
    "rotation evidence anchor --stack prod",
  ).action(async (options: CommonOptions) => {
    const [{ anchorNow }, { renderAnchored }] = await Promise.all([
      import("../operate/evidence/anchor"),
      import("../render/evidence"),
    ]);
    const anchored = await anchorNow(await projectOf(options));
    const { newest, added, failed } = anchored;
    if (options.json) printJson({ anchor: newest?.anchor ?? null, added, failed });
    else print(renderAnchored(anchored));
    process.exitCode = Object.keys(failed).length === 0 ? EXIT.fine : EXIT.failed;
  });
  common(
    evidence
      .command("key")
      .description("print the public key for `verify --key`; give it to the auditor before the first bundle"),
    "rotation evidence key --stack prod > allowed_signers",
  ).action(printKey);
}

async function printKey(options: CommonOptions): Promise<void> {
  const { evidenceKey } = await import("../operate/evidence/anchor");
  const key = await evidenceKey(await projectOf(options));
  if (options.json) printJson({ key });
  else print(key);
}

async function write({ last, out, ...options }: BundleOptions): Promise<void> {
  const [{ evidenceOf }, { during }] = await Promise.all([
    import("../operate/evidence/bundle"),
    import("../render/progress"),
  ]);
  const project = await projectOf(options);
  const made = await during("evidence: reading the log and its anchors", { ...options, soon: true }, () =>
    evidenceOf(project, last),
  );
  await writeFile(out, made.tar, { mode: 0o644 });
  const { tar: _, ...about } = made;
  if (options.json) return printJson({ file: out, ...about });
  for (const [name, error] of Object.entries(made.failed)) process.stderr.write(`warning: ${name}: ${error}\n`);
  const places = Object.entries(made.anchors).map(([name, count]) => `${counted(count, "anchor")} of ${name}`);
  print(`${out} written: ${[counted(made.rows, "row"), ...places].join(", ")}`);
}

function duration(text: string): number {
  const found = /^(\d+)([dh])$/.exec(text);
  if (!found) throw new InvalidArgumentError("expected a time such as 90d or 24h.");
  return Number(found[1]) * (found[2] === "d" ? DAY : 3_600_000);
}

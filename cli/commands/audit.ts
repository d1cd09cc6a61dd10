import { type Command, InvalidArgumentError } from "commander";
import { counted } from "../../audit/controls";
import { parseTime } from "../../core/time";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface PruneOptions extends CommonOptions {
  readonly before?: Date;
  readonly yes?: true;
}

/** `rotation audit verify`, `rotation audit migrate` and `rotation audit prune` */
export function registerAudit(program: Command): void {
  const audit = program.command("audit").description("verify that the audit log was not changed; remove old rows");
  audit.addHelpText("after", "\nExample:\n  rotation audit verify --stack prod");
  common(
    audit
      .command("verify")
      .description("recompute the hash of every row and follow the chain; names every row that was changed"),
    "rotation audit verify --stack prod",
  ).action(async (options: CommonOptions) => {
    const [{ verifyAudit }, { during }] = await Promise.all([import("../operate/audit"), import("../render/progress")]);
    const project = await projectOf(options);
    const verdict = await during("audit: following the chain through every row", { ...options, soon: true }, () =>
      verifyAudit(project),
    );
    if (options.json) printJson(verdict);
    else {
      const { renderVerdict } = await import("../render/audit");
      print(renderVerdict(verdict));
    }
    process.exitCode = verdict.valid && verdict.guarded ? EXIT.fine : EXIT.failed;
  });
  common(
    audit
      .command("migrate")
      .description(
        "create or upgrade the log's tables, its triggers and its writers' role; run it as their owner, not as the pipeline",
      ),
    "PGUSER=postgres rotation audit migrate --stack prod",
  ).action(async (options: CommonOptions) => {
    const { migrateAudit } = await import("../operate/audit");
    const migrations = await migrateAudit(await projectOf(options));
    if (options.json) printJson({ migrations });
    else print(migrations.length === 0 ? "The log is up to date." : `Done: ${migrations.join(", ")}.`);
  });
  common(
    audit.command("prune").description("remove the rows that are older than two years; the log records the removal"),
    "rotation audit prune --before 2024-01-01 --stack prod",
  )
    .option("--before <date>", "at least two years ago (default: two years ago)", date)
    .option("-y, --yes", "do not ask")
    .action(prune);
}

async function prune(options: PruneOptions): Promise<void> {
  const project = await projectOf(options);
  const { prunable, pruneAudit } = await import("../operate/audit");
  const found = await prunable(project, options.before);
  const day = found.before.slice(0, 10);
  const rows = counted(found.rows, "row");
  if (found.rows === 0) {
    if (options.json) printJson({ removed: 0, before: found.before });
    else print(`No row is older than ${day}; nothing was removed.`);
    return;
  }
  if (!options.yes) {
    const { confirmed } = await import("../run-listener");
    if (!(await confirmed(`Remove ${rows} from before ${day}?`))) return print("Nothing was removed.");
  }
  const result = await pruneAudit(project, found);
  if (options.json) printJson(result);
  else print(`${counted(result.removed, "row")} from before ${day} removed; the log records it as a PRUNE row.`);
}

function date(text: string): Date {
  const found = parseTime(text);
  if (found === undefined) throw new InvalidArgumentError("expected a date, such as 2024-01-01.");
  return found;
}

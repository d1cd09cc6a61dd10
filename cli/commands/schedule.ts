import { type Command, Option } from "commander";
import { isTimeZone } from "../../core/wall-clock";
import { UsageError } from "../operate/errors";
import { output } from "../output";
import { type CommonOptions, common, printJson } from "../run-command";

interface ScheduleOptions extends CommonOptions {
  readonly stacks?: string;
  readonly schedule: string;
  readonly out?: string;
}

interface KubernetesOptions extends ScheduleOptions {
  readonly parallel: number;
  readonly image: string;
  readonly namespace: string;
  readonly timezone: string;
  readonly form: "cronjobs" | "indexed";
  readonly settings?: string;
  readonly credentials?: string;
}

/** Once an hour: a run is over at once unless something is due, and the config's window decides when it may begin. */
const HOURLY = "0 * * * *";

/** `rotation schedule` */
export function registerSchedule(program: Command): void {
  const schedule = program
    .command("schedule")
    .description("print what runs many stacks on a schedule (docs/schedule.md)")
    .addHelpText("after", "\nExample:\n  rotation schedule kubernetes --stacks 'prod-*' --image IMAGE");
  common(
    schedule.command("kubernetes").description("manifests: a CronJob for each stack, or one with an index for each"),
    "rotation schedule kubernetes --stacks 'prod-*' \\\n  --image registry.example/secret-rotation:0.1.0 --out schedule.yaml",
    "stacks",
  )
    .requiredOption("--image <image>", "your build of deploy/Containerfile, best by its digest")
    .option("-n, --namespace <name>", "the namespace of the runs", "secret-rotation")
    .option("--schedule <cron>", "when to look; each stack gets a minute of its own", HOURLY)
    .option("--timezone <zone>", "the schedule's time zone, such as America/New_York", "Etc/UTC")
    .addOption(
      new Option("--form <form>", "cronjobs: one for each stack; indexed: --parallel at a time")
        .choices(["cronjobs", "indexed"])
        .default("cronjobs"),
    )
    .option("--settings <name>", "one ConfigMap for all stacks, instead of one for each CronJob")
    .option("--credentials <name>", "one Secret for all stacks, instead of one for each CronJob")
    .option("-o, --out <file>", "write it to this file, atomically, instead of printing it")
    .action(async (options: KubernetesOptions) => {
      const { asYaml, kubernetesManifests } = await import("../operate/schedule/kubernetes");
      const stacks = await stacksIn(options);
      checkKubernetes(options);
      const { form, image, namespace, timezone, schedule, parallel, settings, credentials } = options;
      const name = options.stacks ?? options.stack ?? "";
      const about = { stacks, form, image, namespace, timezone, schedule, parallel, settings, credentials, name };
      const manifests = cronOf(() => kubernetesManifests(about));
      if (options.json) return printJson({ apiVersion: "v1", kind: "List", items: manifests });
      await output(asYaml(manifests), options.out);
    });
  common(
    schedule.command("deployments").description("commands that make schedules in Pulumi Deployments"),
    "rotation schedule deployments --stacks 'prod-*' --organization acme | sh -e",
    "stacks",
  )
    .requiredOption("--organization <name>", "the organization in Pulumi Cloud")
    .option("--schedule <cron>", "when to look, in UTC; each stack gets a minute of its own", HOURLY)
    .option("-o, --out <file>", "write it to this file, atomically, instead of printing it")
    .action(async (options: ScheduleOptions & { readonly organization: string }) => {
      const [{ deploymentSchedules }, { readProject }] = await Promise.all([
        import("../operate/schedule/deployments"),
        import("../operate/project"),
      ]);
      const stacks = await stacksIn(options);
      const { schedule, organization } = options;
      check("--organization", organization, /^[A-Za-z0-9_-]+$/, "letters, digits, _ or -");
      const project = readProject(options.cwd ?? process.cwd()).project.name ?? "";
      const made = cronOf(() => deploymentSchedules({ stacks, organization, project, schedule }));
      if (options.json) printJson(made.map(({ stack, path, body }) => ({ stack, path, body })));
      else await output(`${made.map(({ shell }) => shell).join("\n")}\n`, options.out);
    });
}

/** The stacks that `--stack` or `--stacks` names; all of them have a settings file. @throws UsageError */
async function stacksIn({ stack, stacks, cwd }: ScheduleOptions): Promise<string[]> {
  if ((stack === undefined) === (stacks === undefined))
    throw new UsageError(`expected either --stack or --stacks, found ${stack === undefined ? "neither" : "both"}`);
  const { stacksOf } = await import("../operate/stacks");
  return stacksOf(cwd ?? process.cwd(), stacks ?? stack ?? "");
}

/** A name that Kubernetes takes for a namespace, a ConfigMap and a Secret. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** @throws UsageError for a value that Kubernetes would refuse, or would take in another sense */
function checkKubernetes({ image, namespace, timezone, settings, credentials }: KubernetesOptions): void {
  check("--image", image, /^[a-z0-9][\w./:@-]*$/i, "an image such as registry.example/secret-rotation:0.1.0");
  for (const [option, name] of Object.entries({ namespace, settings, credentials }))
    if (name !== undefined) check(`--${option}`, name, NAME, "small letters, digits and -, at most 63");
  if (!isTimeZone(timezone))
    throw new UsageError(`--timezone: expected a name such as America/New_York, found ${timezone}`);
}

function check(option: string, value: string, pattern: RegExp, expected: string): void {
  if (!pattern.test(value)) throw new UsageError(`${option}: expected ${expected}, found ${value}`);
}

/** @throws UsageError for a schedule that is not one of cron */
function cronOf<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`--schedule: ${error.message}`) : error;
  }
}

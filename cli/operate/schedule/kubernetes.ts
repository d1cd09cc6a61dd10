import { parse, parseAllDocuments, stringify } from "yaml";
import { kubernetesName, spreadSchedule } from "../../../core/schedule";
import cronJob from "../../../deploy/kubernetes/cronjob.yaml?raw";
import jobs from "../../../deploy/kubernetes/jobs.yaml?raw";
import account from "../../../deploy/kubernetes/service-account.yaml?raw";

/** What `rotation schedule kubernetes` makes manifests of. */
export interface KubernetesSchedule {
  readonly stacks: readonly string[];
  /** `cronjobs`: a CronJob for each stack. `indexed`: one whose Job has an index for each stack. */
  readonly form: "cronjobs" | "indexed";
  /** The image by its digest or tag (docs/image.md). */
  readonly image: string;
  readonly namespace: string;
  /** Five fields of cron; each stack gets a minute of its own. */
  readonly schedule: string;
  /** A name of the IANA time zone database. */
  readonly timezone: string;
  /** `indexed`: how many stacks at a time. */
  readonly parallel: number;
  /** `indexed`: what the CronJob is named after, such as the pattern of the stacks. */
  readonly name: string;
  /** The ConfigMap and the Secret of all stacks. Default: those of each stack (`indexed`: of the CronJob), by its name. */
  readonly settings?: string | undefined;
  readonly credentials?: string | undefined;
}

/**
 * At most 48 characters: a Job's name adds 9, its pod's 6 more, and a host name has 63. A lock names its holder's host, and
 * the next run finds the Job by it.
 */
const LONGEST = 48;
const PREFIX = "secret-rotation-";

/** How long a run of one stack may take, in seconds, as in deploy/kubernetes. */
const LIMIT = 7200;

/** A manifest, as JSON has it. */
export type Manifest = Readonly<Record<string, unknown>>;

/** What is set here of the CronJob of deploy/kubernetes; everything else stays as it is there. */
interface CronJob {
  metadata: { name: string; namespace: string; labels: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    schedule: string;
    timeZone: string;
    jobTemplate: { spec: Record<string, unknown> & { template: { metadata: object; spec: Pod } } };
  };
}

interface Pod {
  automountServiceAccountToken: boolean;
  activeDeadlineSeconds?: number;
  initContainers: { image: string }[];
  containers: {
    image: string;
    command: string[];
    args: string[];
    envFrom: { configMapRef: { name: string } }[];
  }[];
  volumes: { secret?: { secretName: string } }[];
}

/**
 * The manifests of a schedule for many stacks: the account of the runs, its right to see their Jobs, and CronJobs made of
 * `deploy/kubernetes/cronjob.yaml`. The same stacks give the same manifests.
 *
 * @throws RangeError if the schedule is not one of cron
 */
export function kubernetesManifests(about: KubernetesSchedule): Manifest[] {
  const { namespace, form, stacks } = about;
  const [role, binding] = parseAllDocuments(jobs).map((document) => document.toJS());
  binding.subjects[0].namespace = namespace;
  const rights = [read(account), role, binding].map((one) => ({ ...one, metadata: { ...one.metadata, namespace } }));
  const scheduled = form === "indexed" ? [indexed(about)] : stacks.map((stack) => ofStack(about, stack));
  return [...rights, ...scheduled] as unknown as Manifest[];
}

/** As `kubectl apply -f` reads it. Every text is in quotes: a stack's name may read as a number. */
export const asYaml = (manifests: readonly Manifest[]): string =>
  manifests
    .map((one) =>
      stringify(one, {
        ...{ aliasDuplicateObjects: false, lineWidth: 0 },
        ...{ defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" },
      }),
    )
    .join("---\n");

/** Kubernetes reads YAML 1.1, in which 0440 is octal. */
const read = (text: string) => parse(text, { version: "1.1" });

function ofStack(about: KubernetesSchedule, stack: string): CronJob {
  const job = named(about, stack);
  job.metadata.annotations = { "secret-rotation/stack": stack };
  const [container] = job.spec.jobTemplate.spec.template.spec.containers;
  if (container !== undefined) container.args = [...container.args.slice(0, -1), stack];
  return job;
}

/** The stack of an index is its argument: `$0` is the program's name. */
const PICK = 'shift "$JOB_COMPLETION_INDEX"; exec node dist/cli/rotation.mjs run --if-due --yes --stack "$1"';

function indexed(about: KubernetesSchedule): CronJob {
  const { stacks, parallel, name } = about;
  const job = named(about, name);
  const { jobTemplate } = job.spec;
  const { backoffLimit, ...spec } = jobTemplate.spec;
  jobTemplate.spec = {
    ...spec,
    completionMode: "Indexed",
    completions: stacks.length,
    parallelism: parallel,
    // A stack that fails stops no other.
    backoffLimitPerIndex: backoffLimit,
    activeDeadlineSeconds: LIMIT * Math.ceil(stacks.length / parallel),
  };
  const pod = jobTemplate.spec.template.spec;
  pod.activeDeadlineSeconds = LIMIT;
  const [container] = pod.containers;
  if (container === undefined) return job;
  container.command = ["sh", "-c", PICK];
  container.args = ["rotation", ...stacks];
  return job;
}

/** The CronJob of deploy/kubernetes with another name and the settings of this schedule. */
function named(about: KubernetesSchedule, key: string): CronJob {
  const { image, namespace, schedule, timezone, settings, credentials } = about;
  const short = kubernetesName(key, LONGEST - PREFIX.length);
  const [name, labels] = [
    `${PREFIX}${short}`,
    { "app.kubernetes.io/name": "secret-rotation", "app.kubernetes.io/instance": short },
  ];
  const job = read(cronJob) as CronJob;
  job.metadata = { name, namespace, labels };
  job.spec.schedule = spreadSchedule(schedule, key);
  job.spec.timeZone = timezone;
  const { template } = job.spec.jobTemplate.spec;
  template.metadata = { labels };
  const pod = template.spec;
  // For the right to see whether the Job of an earlier run has ended.
  pod.automountServiceAccountToken = true;
  for (const container of [...pod.initContainers, ...pod.containers]) container.image = image;
  for (const { envFrom } of pod.containers)
    for (const { configMapRef } of envFrom) configMapRef.name = settings ?? name;
  for (const { secret } of pod.volumes) if (secret !== undefined) secret.secretName = credentials ?? name;
  return job;
}

import { type JobStatus, jobHasEnded, jobOfHost } from "../../../clients/kubernetes-job";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How a pod ends. A node that is lost keeps its pods: whether they go on, the cluster does not know. */
export type End = "itself" | "drained" | "killed" | "node lost, killed" | "node lost, goes on";

/** A Job's pod in the model. */
export interface Pod {
  readonly job: string;
  readonly host: string;
  readonly ends: End;
  /** After how many of its steps it is killed or drained. */
  readonly after: number;
}

/**
 * A model of what Kubernetes promises of the Jobs of one CronJob with `concurrencyPolicy: Forbid` and `backoffLimit: 0`: no
 * second Job while one has a pod, no second pod of a Job, and a Job is over only when its pods certainly are.
 */
export class Jobs {
  private readonly statuses = new Map<string, { status: JobStatus; overAt: number }>();

  constructor(private readonly random: () => number) {}

  begin(job: string): void {
    this.statuses.set(job, { status: { active: 1 }, overAt: Number.POSITIVE_INFINITY });
  }

  /** The process has ended at `now`, or its node is lost: when the cluster knows, the Job is over. */
  end(job: string, ends: End, now: number): void {
    const lost = ends.startsWith("node lost");
    const later = lost ? 10 * MINUTE + this.random() * 6 * HOUR : this.random() * MINUTE;
    this.statuses.set(job, { status: { terminating: 1 }, overAt: now + later });
  }

  /** What the API server answers. */
  private statusOf(job: string, now: number): JobStatus | undefined {
    const known = this.statuses.get(job);
    if (known === undefined || now < known.overAt) return known?.status;
    return { conditions: [{ type: "Failed", status: "True" }] };
  }

  /** Whether a Job of this CronJob goes on, so that no other begins. */
  isBusy(now: number): boolean {
    return [...this.statuses.keys()].some((job) => !jobHasEnded(this.statusOf(job, now) ?? {}));
  }

  /** As `podHasEnded`, with the model for the API server. */
  async podHasEnded(host: string, now: number): Promise<boolean> {
    const job = jobOfHost(host);
    return job !== undefined && jobHasEnded(this.statusOf(job, now) ?? {});
  }
}

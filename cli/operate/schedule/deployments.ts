import { spreadSchedule } from "../../../core/schedule";
import { quoted } from "../../../core/shell-word";

/** What `rotation schedule deployments` makes schedules of. */
export interface DeploymentsSchedule {
  readonly stacks: readonly string[];
  readonly organization: string;
  readonly project: string;
  /** Five fields of cron, in UTC; each stack gets a minute of its own. */
  readonly schedule: string;
}

/** The stack's own deployment settings say where and with what it runs. */
interface Request {
  readonly operation: "update";
  readonly inheritSettings: true;
}

/** A schedule of one stack: the path and body of Pulumi Cloud's API, and the command that sends the same. */
export interface DeploymentSchedule {
  readonly stack: string;
  readonly path: string;
  /** `CreateScheduledDeploymentRequest`. */
  readonly body: { readonly scheduleCron: string; readonly request: Request };
  readonly shell: string;
}

/** A schedule of updates in Pulumi Deployments for each stack. @throws RangeError if the schedule is not one of cron */
export const deploymentSchedules = ({ stacks, organization, project, schedule }: DeploymentsSchedule) =>
  stacks.map((stack): DeploymentSchedule => {
    const cron = spreadSchedule(schedule, stack);
    const full = `${organization}/${project}/${stack}`;
    const words = ["--kind", "raw", "--operation", "update", "--cron", cron, "--stack", full, "--yes"];
    return {
      stack,
      path: `/api/stacks/${full}/deployments/schedules`,
      body: { scheduleCron: cron, request: { operation: "update", inheritSettings: true } },
      shell: ["pulumi", "stack", "schedule", "new", ...words].map(quoted).join(" "),
    };
  });

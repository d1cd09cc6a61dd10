import { rotationCommand } from "./advice";
import { lastRuns, type RunStep } from "./last-run";
import type { Project } from "./project";
import { readStatus, type StackStatus } from "./read-status";
import { type Outline, readOutline } from "./settings";
import type { StoredResource } from "./state-file";
import { readResources } from "./state-resources";
import { needsRotation, type SecretStatus } from "./status";

/** A service that reads a secret, and where it runs. */
export interface Reader {
  readonly service: string;
  /** Empty: on the machine that runs Pulumi. */
  readonly hosts: readonly string[];
}

/** A command to copy, and what it does. */
export interface CopyCommand {
  readonly command: string;
  readonly does: string;
}

/** One secret on the page. */
export interface PageSecret extends SecretStatus {
  readonly readers: readonly Reader[];
  readonly lastRun: readonly RunStep[];
  /** What to do now; null if nothing has to be done. */
  readonly now: CopyCommand | null;
  readonly commands: readonly CopyCommand[];
}

/** Everything on the operator's page. Holds no secret. */
export interface StatusPage extends Omit<StackStatus, "secrets"> {
  readonly secrets: readonly PageSecret[];
  /** For the stack as a whole. */
  readonly commands: readonly CopyCommand[];
}

/** Reads all of it, without starting Pulumi if the state is a file. @throws ConfigError, UsageError */
export async function readStatusPage(project: Project): Promise<StatusPage> {
  const [status, outline, resources] = await Promise.all([
    readStatus(project),
    readOutline(project),
    readResources(project),
  ]);
  return pageOf(project, status, { outline, resources });
}

/** Puts the page together. Pure. */
export function pageOf(
  project: Pick<Project, "dir" | "stack">,
  status: StackStatus,
  {
    outline,
    resources,
  }: { readonly outline: Pick<Outline, "secrets" | "services">; readonly resources: readonly StoredResource[] },
): StatusPage {
  const runs = lastRuns(resources, outline);
  const command = (words: string, does: string): CopyCommand => ({
    command: rotationCommand(project, words, project.dir),
    does,
  });
  return {
    ...status,
    secrets: status.secrets.map((secret) => {
      const restart = outline.secrets.find(({ name }) => name === secret.name)?.restart ?? [];
      return {
        ...secret,
        readers: restart.map((service) => ({
          service,
          hosts: outline.services[service]?.hosts ?? [],
        })),
        lastRun: runs[secret.name] ?? [],
        now: nowOf(secret, command),
        commands: [
          command(`preflight ${secret.name}`, "checks everything a rotation will touch; changes nothing"),
          command(`run ${secret.name}`, "rotates it now, whatever its age and window; asks before it changes anything"),
          command(`validate ${secret.name}`, "proves store, logins, services and log after a rotation"),
          command(`rollback ${secret.name} --reason "..."`, "returns to the previous generation"),
          command(`rotate-now ${secret.name} --reason "..."`, "for a leak: the old credential ends at once"),
        ],
      };
    }),
    commands: [
      command("plan", "what an update would do; changes nothing"),
      command("run", "carries out what is due"),
      command("diagnose", "checks the platform and names what fixes it"),
      command("audit verify", "verifies the chain of the log"),
    ],
  };
}

/** The one command for a secret that needs something now. */
function nowOf(secret: SecretStatus, command: (words: string, does: string) => CopyCommand): CopyCommand | null {
  const { standing, supply, window, paused } = secret;
  if (standing === "failed") return command("diagnose", "the last action failed: this names the cause and the fix");
  if (standing === "unfinished") return command("run", "finishes the interrupted update");
  if (window?.alarm != null)
    return command(`run ${secret.name}`, "rotates it now, without a window; or change the window, blackout or pause");
  if (needsRotation([secret])) {
    if (supply !== undefined) return command(supply.replace(/^rotation /, ""), "takes the new value that you made");
    if (window?.waits != null && standing === "overdue")
      return command(`run ${secret.name}`, "it is past its maximum age and waits for its window: this does not wait");
    return command("run", standing === "new" ? "adopts it" : "rotates what is due");
  }
  if (paused?.isOver) return command("status", "its pause is over: remove it from the config, or extend it");
  return null;
}

import type { ControlEvidence, SecretSummary } from "./report";
import type { ChainVerdict } from "./verify";

/** The controls that the runbook names, each with its evidence. */
export function controlsFor(secrets: readonly SecretSummary[], chain: ChainVerdict): ControlEvidence[] {
  const rotated = secrets.length > 0 && secrets.every((secret) => secret.withinLimit);
  const logged = chain.valid && chain.guarded;
  return [
    {
      framework: "PCI DSS",
      control: "3.6.4",
      current:
        "v4.0.1: 8.6.3 (passwords of application and system accounts), 8.3.9 (user access by password alone, 90 days); " +
        "3.6.4 of v3.2.1 is now 3.7.4, which is about cryptographic keys",
      asks: "Passwords are changed periodically, here every 90 days at the latest, and upon suspicion of compromise.",
      evidence: agesText(secrets),
      supported: rotated,
    },
    {
      framework: "SOC 2",
      control: "CC6.1",
      current: "CC6.1 (Trust Services Criteria 2017, points of focus of 2022)",
      asks: "Credentials that give logical access are managed over their life; the runbook adds: rotated regularly and logged.",
      evidence: `${agesText(secrets)} ${chainText(chain)}`,
      supported: rotated && logged,
    },
    {
      framework: "NIST SP 800-53",
      control: "IA-5",
      current: "Rev. 5: IA-5 f",
      asks: "Authenticators are changed or refreshed in the period that the organization defines, or upon defined events.",
      evidence: `${agesText(secrets)} ${eventsText(secrets)}`,
      supported: rotated,
    },
  ];
}

function agesText(secrets: readonly SecretSummary[]): string {
  const late = secrets.filter((secret) => !secret.withinLimit);
  if (secrets.length === 0) return "No secret is configured or logged.";
  if (late.length === 0) return `Secrets that stayed within their limit: ${secrets.length} of ${secrets.length}.`;
  const named = late.map(({ name, longestAgeDays, maxAgeDays }) => {
    if (longestAgeDays === null) return `${name} has no row that tells its age`;
    return longestAgeDays > maxAgeDays
      ? `${name} reached ${longestAgeDays} of ${maxAgeDays} days`
      : `${name} was a credential of unknown age for a time: adopted, without a date`;
  });
  return `Secrets that did not stay within their limit: ${late.length} of ${secrets.length} (${named.join(", ")}).`;
}

function chainText({ valid, guarded, rows, problems, omitted }: ChainVerdict): string {
  if (!valid) return `The log's hash chain is broken (${counted(problems.length + omitted, "problem")}).`;
  if (!guarded) return "The log's hash chain is intact, but the triggers that protect it are not in force.";
  return `The log is append-only, and the hash chain over its ${counted(rows, "row")} is intact.`;
}

function eventsText(secrets: readonly SecretSummary[]): string {
  const sum = (key: "rotations" | "failures" | "rollbacks") => secrets.reduce((total, item) => total + item[key], 0);
  const [rotations, failures, rollbacks] = [sum("rotations"), sum("failures"), sum("rollbacks")];
  return `Logged: ${counted(rotations, "rotation")}, ${counted(failures, "failure")}, ${counted(rollbacks, "rollback")}.`;
}

/** `1 row`, `2 rows`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

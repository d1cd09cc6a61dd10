import type { ChainProblem } from "./chain";
import type { LogRow } from "./queries";
import type { ChainVerdict } from "./verify";

/** A secret as the config has it. */
export interface ReportSecret {
  readonly name: string;
  /** Null for one that is the same in every environment. */
  readonly environment: string | null;
  /** The limit, in days; 90 by default. */
  readonly maxAgeDays?: number;
  readonly strategy?: string;
  readonly store?: string;
  /** What its calendar says of its next rotation, in words; only if the config limits when rotations run. */
  readonly calendar?: string | undefined;
}

/** The period that a report covers, and its input from outside of the log. */
export interface ReportOptions {
  readonly from: Date;
  /** Not covered itself. */
  readonly to: Date;
  readonly now: Date;
  readonly chain: ChainVerdict;
}

/** A failure or a rollback, for the timeline. */
export type Incident = Pick<ReportRow, "rotationDate" | "action" | "status" | "reason">;

/** A secret's status: warning five days before its limit, alert two days before, unknown without a row or a date. */
export type SecretStanding = "ok" | "warning" | "alert" | "overdue" | "unknown";

/** One secret in the report's period; dates are ISO 8601 in UTC. */
export interface SecretSummary {
  readonly name: string;
  readonly environment: string | null;
  /** False for a secret that only the log knows. */
  readonly configured: boolean;
  readonly strategy: string | null;
  readonly store: string | null;
  readonly maxAgeDays: number;
  readonly standing: SecretStanding;
  readonly generation: number | null;
  /** When the credential in use was made. */
  readonly madeAt: string | null;
  /** Of an adopted credential of unknown age: when it was in use already. Null for any other. */
  readonly inUseBefore: string | null;
  /** When it reaches its limit. */
  readonly limitAt: string | null;
  readonly ageDays: number | null;
  readonly daysLeft: number | null;
  readonly rotations: number;
  readonly failures: number;
  readonly rollbacks: number;
  /** The greatest age that a credential reached in the report's period. */
  readonly longestAgeDays: number | null;
  /** No credential was in use beyond its limit, according to the log; false if the log does not show an age. */
  readonly withinLimit: boolean;
  /** If Vault makes short-lived logins: the longest life of one, in days, and nothing reaches a limit; else null. */
  readonly leaseDays: number | null;
  /** What its calendar says of its next rotation, in words; only if there is something to say. */
  readonly calendar?: string;
  /** The credentials that were in use, for the timeline. */
  readonly credentials: readonly {
    generation: number | null;
    madeAt: string;
    ageKnown: boolean;
    from: string;
    to: string;
    leaseDays: number | null;
  }[];
  /** What went wrong in the report's period, oldest first. */
  readonly incidents: readonly Incident[];
}

/** A row of the log in the report's period. */
export type ReportRow = Omit<LogRow, "rotationDate" | "recordedAt"> & {
  readonly rotationDate: string;
  readonly recordedAt: string | null;
};

/** A control of a standard, and this report's evidence for it. */
export interface ControlEvidence {
  readonly framework: string;
  /** The number that the runbook cites. */
  readonly control: string;
  /** The number in the current edition, if it differs, and the subject of each. */
  readonly current: string;
  readonly asks: string;
  readonly evidence: string;
  /** The log supports the control in the report's period. Whether it is met is for the auditor to decide. */
  readonly supported: boolean;
}

/** The whole report except its rows. */
export interface ReportFigures {
  readonly generatedAt: string;
  readonly from: string;
  readonly to: string;
  readonly totals: { secrets: number; rows: number; rotations: number; failures: number; rollbacks: number };
  readonly secrets: readonly SecretSummary[];
  readonly chain: {
    valid: boolean;
    guarded: boolean;
    rows: number;
    tail: ChainVerdict["tail"];
    prunedThrough: number | null;
    problems: readonly ChainProblem[];
    omitted: number;
  };
  readonly controls: readonly ControlEvidence[];
}

/** The whole report; the renderers add nothing. */
export interface Report extends ReportFigures {
  /** In the order of their dates. They may come from the database as they are read, which they can be once. */
  readonly rows: Iterable<ReportRow> | AsyncIterable<ReportRow>;
}

/** A report that was read to its end. */
export interface WholeReport extends ReportFigures {
  readonly rows: readonly ReportRow[];
}

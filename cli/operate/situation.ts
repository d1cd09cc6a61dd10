import { isUnseen, type Unseen } from "../../components/seen";
import type { Action } from "../../core/state";
import type { LoginSeen } from "../../kinds/kind-operations";

/** What the store holds: the value of a generation that the stack knows, or something else. */
export type StoreSeen =
  | { readonly generation: number }
  /** The paths hold values of different generations. */
  | "half a pair"
  /** A value that the stack does not know. */
  | "unknown value"
  | "nothing"
  | Unseen;

/** A service on a host. */
export interface ServiceSeen {
  /** `signal-service on trading-1` */
  readonly place: string;
  /** Whether the state has its restart of this rotation as done; "begun" if the engine had begun it and no more is known. */
  readonly restarted: "yes" | "begun" | "no";
  readonly health: "healthy" | "not healthy" | Unseen;
}

/** One secret on the platform after an unfinished update: what was observed, not what a phase suggests. */
export interface Situation {
  readonly secret: string;
  /** The generation that the last finished update left in use; undefined before the first. */
  readonly from: number | undefined;
  /** What an update has begun and not finished; null if nothing. */
  readonly begun: { readonly action: Action; readonly generation: number } | null | Unseen;
  /** Undefined for a secret that no store holds: Vault issues it. */
  readonly store: StoreSeen | undefined;
  readonly logins: readonly LoginSeen[];
  readonly services: readonly ServiceSeen[];
  /**
   * Resources that the update had begun and that may have changed something outside of the stack's own state. If `known`,
   * the other fields show what; otherwise it is unknown what the resource has changed.
   */
  readonly acted: readonly { readonly resource: string; readonly known: boolean }[];
  /** Whether the row of what was begun is in the audit log; undefined if nothing was begun. */
  readonly row: "written" | "missing" | Unseen | undefined;
}

/** Whether an update has begun or may have, so that its request must stay: another run finishes it. */
export const isBegun = ({ begun }: Pick<Situation, "begun">): boolean => begun !== null;

/** Whether anything was changed outside of the stack's own state. What cannot be seen counts as changed. */
export function isTouched({ begun, from, store, logins, services, acted, row }: Situation): boolean {
  if (begun === null) return false;
  if (isUnseen(begun)) return true;
  const { action, generation } = begun;
  if (action === "REVOKE")
    return logins.some((login) => login.generation === generation && login.answer !== "works") || row === "written";
  const moves = generation !== from && !(action === "ADOPT" && generation === 0);
  const holdsNew = typeof store === "object" && (isUnseen(store) || store.generation === generation);
  return (
    (moves && (holdsNew || logins.some((login) => isChanged(login, begun, from)))) ||
    store === "half a pair" ||
    services.some(({ restarted }) => restarted !== "no") ||
    acted.some(({ known }) => !known) ||
    row === "written"
  );
}

/** Whether a password has begun or ceased to work; a rollback of alternating users returns to one that worked all along. */
function isChanged(
  { supplied, generation, answer }: LoginSeen,
  begun: { action: Action; generation: number },
  from?: number,
) {
  if (supplied) return false;
  if (isUnseen(answer)) return true;
  if (generation === from) return answer === "refused";
  return generation === begun.generation && begun.action !== "ROLLBACK" && answer === "works";
}

const WHAT: Readonly<Record<Action, (generation: number) => string>> = {
  ADOPT: (generation) => (generation === 0 ? "the adoption" : `the adoption, which moves to generation ${generation},`),
  ROTATE: (generation) => `the rotation to generation ${generation}`,
  ROLLBACK: (generation) => `the rollback to generation ${generation}`,
  REVOKE: (generation) => `the end of generation ${generation}`,
};

/** The same in words: what was begun, then each observation, then what follows from them. */
export function describeSituation(situation: Situation): string {
  return [
    begunWords(situation),
    ...storeWords(situation),
    ...loginWords(situation),
    ...serviceWords(situation),
    ...rowWords(situation),
    ...unknownWords(situation),
    ...consequence(situation),
  ].join(" ");
}

const nameOf = (from: number | undefined) =>
  from === undefined ? "the credential that the platform had" : `generation ${from}`;

function begunWords({ secret, from, begun, acted }: Situation): string {
  if (begun === null && acted.length > 0) {
    const names = acted.map(({ resource }) => resource).join(", ");
    return `${secret}: no rotation was begun, but the update was at ${names} and may have changed something there; ${nameOf(from)} was in use before it.`;
  }
  if (begun === null) return `${secret}: nothing was changed; ${nameOf(from)} is in use.`;
  if (isUnseen(begun))
    return `${secret}: the stack's state could not be read (${begun.unseen}), so what was begun is not known.`;
  const before = begun.action === "REVOKE" ? "" : `; ${nameOf(from)} was in use before`;
  return `${secret}: ${WHAT[begun.action](begun.generation)} has begun and is not finished${before}.`;
}

function storeWords({ store, logins, begun }: Situation): string[] {
  // Before the first update the stack knows no value.
  if (store === undefined || (store === "unknown value" && begun === null && logins.length === 0)) return [];
  if (store === "nothing") return ["Store: nothing."];
  if (store === "unknown value") return ["Store: a value that this stack does not know."];
  if (store === "half a pair")
    return ["Store: its two parts are of different generations; readers wait until both agree."];
  return [isUnseen(store) ? `Store: could not be read (${store.unseen}).` : `Store: generation ${store.generation}.`];
}

function loginWords({ logins }: Situation): string[] {
  if (logins.length === 0) return [];
  const words = logins.map(({ generation, name, answer }) => {
    const said = isUnseen(answer)
      ? `could not be tried (${answer.unseen})`
      : answer === "works"
        ? "works"
        : "is refused";
    return `generation ${generation} (${name}) ${said}`;
  });
  return [`Logins: ${words.join("; ")}.`];
}

const RESTARTED = { yes: "restarted", begun: "its restart did not finish", no: "not restarted" } as const;

function serviceWords({ services, begun }: Situation): string[] {
  const words = services.map(({ place, restarted, health }) => {
    const said = isUnseen(health) ? `health could not be checked (${health.unseen})` : health;
    const isRestarting = begun !== null && !isUnseen(begun) && begun.action !== "REVOKE";
    return `${place}: ${isRestarting ? `${RESTARTED[restarted]}, ` : ""}${said}.`;
  });
  return words;
}

function rowWords({ row }: Situation): string[] {
  if (row === undefined) return [];
  if (isUnseen(row)) return [`Audit log: could not be read (${row.unseen}).`];
  return row === "written" ? ["Its row in secret_rotation_log is written."] : [];
}

function unknownWords({ begun, acted }: Situation): string[] {
  const unknown = acted.filter(({ known }) => !known).map(({ resource }) => resource);
  return begun === null || unknown.length === 0 ? [] : [`What ${unknown.join(", ")} has changed is unknown.`];
}

function consequence(situation: Situation): string[] {
  const { begun, from, logins, services, row } = situation;
  if (begun === null || isUnseen(begun) || begun.action === "REVOKE") return [];
  const late = services.filter(({ restarted }) => restarted !== "yes").map(({ place }) => place);
  if (late.length === 0) {
    const missing = row === "missing" ? "; only its row in secret_rotation_log is missing" : "";
    const healthy = services.every(({ health }) => health === "healthy");
    return healthy && services.length > 0 ? [`Every service was restarted and is healthy${missing}.`] : [];
  }
  if (begun.generation === from) return [];
  const old = logins.find(({ generation }) => generation === from);
  if (old?.answer === "works") return [`Services that use ${nameOf(from)} keep working.`];
  if (old?.answer !== "refused") return [];
  return [`New logins of ${late.join(", ")} fail until restarted: finish or roll back now.`];
}

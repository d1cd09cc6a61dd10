import type { Decision } from "./decide";
import { activation } from "./state";

/** An emergency and a rollback are one secret's own, and ask less of the platform. */
const SHARED_MODES: readonly string[] = ["rotation", "adoption"];

/**
 * The decisions of one update, in the config's order: the preflight of the first secret that acts looks at the whole platform,
 * and each later one with the same mode relies on that. What was begun before has its own.
 */
export function sharePreflights(decisions: readonly Decision[]): Decision[] {
  const beginning = decisions.filter(begins);
  return decisions.map((decision) => {
    if (!begins(decision)) return decision;
    const first = beginning.find(({ mode }) => mode === decision.mode) as Decision;
    const { platformSeenBy: _, ...state } = decision.state;
    return { ...decision, state: first === decision ? state : { ...state, platformSeenBy: first.secret } };
  });
}

function begins({ action, resumes, mode, state, finished }: Decision): boolean {
  if (action === undefined || resumes || !SHARED_MODES.includes(mode)) return false;
  return finished === undefined || activation(finished) !== activation(state);
}

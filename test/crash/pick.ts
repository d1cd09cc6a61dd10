import { RECOVERIES } from "./crash";
import type { EffectRef, Side } from "./gate";
import { type Victim, victimsOf } from "./victims";

/** A place in a recorded sequence, and who dies there. */
export interface Pick extends EffectRef {
  readonly side: Side;
  readonly victim: Victim;
}

const SIDES: readonly Side[] = ["before", "after"];

/**
 * Chooses points out of a recorded sequence, each at most once, so that as many pairs as can be are among them: each
 * effect with each side and each victim, each side with each victim. The same for the same sequence.
 */
export class Picker {
  private readonly taken = new Set<string>();
  private readonly covered = new Set<string>();

  pick(sequence: readonly EffectRef[], count: number): Pick[] {
    const candidates = sequence.flatMap(({ effect, nth }) =>
      SIDES.flatMap((side) => victimsOf(effect).map((victim) => ({ effect, nth, side, victim }))),
    );
    const picks: Pick[] = [];
    while (picks.length < count) {
      const free = candidates.filter((candidate) => !this.taken.has(keyOf(candidate)));
      const best = free.reduce<Pick | undefined>(
        (found, candidate) => (found === undefined || this.isBetter(candidate, found) ? candidate : found),
        undefined,
      );
      if (best === undefined) break;
      this.taken.add(keyOf(best));
      for (const pair of pairsOf(best)) this.covered.add(pair);
      picks.push(best);
    }
    return picks;
  }

  private isBetter(candidate: Pick, found: Pick): boolean {
    const [gain, before] = [this.gain(candidate), this.gain(found)];
    return gain > before || (gain === before && spread(candidate) < spread(found));
  }

  private gain(pick: Pick): number {
    return pairsOf(pick).filter((pair) => !this.covered.has(pair)).length;
  }
}

const keyOf = ({ effect, nth, side, victim }: Pick) => `${effect} ${nth} ${side} ${victim}`;

const pairsOf = ({ effect, side, victim }: Pick) => [
  effect,
  `${effect} ${side}`,
  `${effect} ${victim}`,
  `${side} ${victim}`,
];

/** An order that has nothing to do with the sequence's, so that equals are taken from all over it. */
function spread(pick: Pick): number {
  let hash = 7;
  for (const letter of keyOf(pick)) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
  return hash;
}

/** By hand and with the command, in turn. */
export const recoveryOf = (index: number) => RECOVERIES[index % RECOVERIES.length] ?? "pulumi up";

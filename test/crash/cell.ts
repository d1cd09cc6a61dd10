import { appendFile } from "node:fs/promises";
import { describe, expect, inject, it } from "vitest";
import { crash, type Outcome, record } from "./crash";
import type { EffectRef } from "./gate";
import { Life, type Operation, type Strategy } from "./life";
import { Picker, recoveryOf } from "./pick";

/** A strategy on a store. */
export interface Cell {
  readonly strategy: Strategy;
  readonly store: "vault" | "aws";
  /** Whether the state is in a bucket, where each write of it is an effect as well. */
  readonly bucket: boolean;
}

/** One line of the results. */
export interface Result extends Outcome {
  readonly cell: Cell;
}

/** What a platform goes through; a single user's old password has ended already, so there is nothing to revoke. */
const SCHEDULES: Readonly<Record<Strategy, readonly Operation[]>> = {
  "alternating-users": ["adoption", "rotation", "revoke", "rotation", "rollback"],
  "single-user": ["adoption", "rotation", "rollback", "rotation", "rollback"],
  "alpaca-key": ["adoption", "rotation", "revoke", "rotation", "rollback"],
  // There is no rollback to what Vault made before.
  "vault-static": ["adoption", "rotation", "forced", "rotation", "forced"],
  "vault-dynamic": ["adoption", "forced", "forced", "forced", "forced"],
};

/** Every operation ends in its row. */
const ROW = "postgres: INSERT INTO secret_rotation_log";

/** So many platforms each cell wears out, after one that is only watched. */
const LIVES = Number(process.env.CRASH_LIVES ?? 4);

/** A cell's part of the matrix: one platform is watched, and each of the next is killed once in every operation. */
export function describeCell(cell: Cell): void {
  const { strategy, store, bucket } = cell;
  describe(`${strategy} on ${store}, its state in a ${bucket ? "bucket" : "folder"}`, () => {
    const schedule = SCHEDULES[strategy];
    const picker = new Picker();
    let sequences: (readonly EffectRef[])[] = [];

    it("is watched undisturbed", { timeout: 1_200_000 }, async () => {
      sequences = await withLife(cell, async (life) => {
        const recorded: (readonly EffectRef[])[] = [];
        for (const operation of schedule) recorded.push(await record(life, operation));
        return recorded;
      });
      for (const [position, sequence] of sequences.entries()) {
        // The end of an Alpaca pair in Vault is its two marks and its row; Vault's own rotation two restarts and the row.
        const endsPair = schedule[position] === "revoke" && strategy === "alpaca-key";
        const isVaults = schedule[position] === "rotation" && strategy === "vault-static";
        expect(sequence.length).toBeGreaterThan(endsPair || isVaults ? 2 : 3);
        expect(sequence.map(({ effect }) => effect)).toContain(ROW);
      }
    });

    for (let index = 0; index < LIVES; index += 1) {
      it(`survives a kill in each operation, ${index + 1} of ${LIVES}`, { timeout: 3_600_000 }, async () => {
        expect(sequences).toHaveLength(schedule.length);
        const problems = await withLife(cell, (life) => wearOut(cell, life, schedule, sequences, picker, index));
        expect(problems).toEqual([]);
      });
    }
  });
}

async function wearOut(
  cell: Cell,
  life: Life,
  schedule: readonly Operation[],
  sequences: readonly (readonly EffectRef[])[],
  picker: Picker,
  index: number,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [position, operation] of schedule.entries()) {
    for (const pick of picker.pick(sequences[position] ?? [], 1)) {
      const outcome = await crash(life, { ...pick, operation, recovery: recoveryOf(index + position) });
      await note({ ...outcome, cell });
      problems.push(...outcome.problems.map((problem) => `${operation}, ${inWords(outcome)}: ${problem}`));
    }
  }
  return problems;
}

const inWords = ({ side, effect, victim, recovery }: Outcome) => `${victim} killed ${side} ${effect}, then ${recovery}`;

/** Writes the result down for the summary and shows that something goes on. */
async function note(result: Result): Promise<void> {
  const { cell, operation, problems, seconds } = result;
  const verdict = problems.length === 0 ? "survived" : `NOT SURVIVED: ${problems.join("; ")}`;
  console.log(`${cell.strategy} ${cell.store} ${operation}: ${inWords(result)}: ${verdict} (${seconds} s)`);
  await appendFile(inject("crashResults"), `${JSON.stringify(result)}\n`);
}

/** A platform for `use`, ended afterwards in any case. */
export async function withLife<T>(cell: Cell, use: (life: Life) => Promise<T>): Promise<T> {
  const life = await Life.begin(cell.strategy, cell.store, cell.bucket);
  try {
    return await use(life);
  } finally {
    await life.world.stop();
  }
}

import { describe, expect, it } from "vitest";
import { withLife } from "./cell";
import { record } from "./crash";
import type { EffectRef } from "./gate";
import { COMMANDS, interrupt, SIGNALS } from "./interrupt";

const CELLS = [
  { strategy: "alternating-users", store: "vault", bucket: false },
  { strategy: "alternating-users", store: "aws", bucket: false },
  { strategy: "single-user", store: "vault", bucket: false },
] as const;

/** Each platform is interrupted at every so-many-th effect, beginning at another one. */
const LIVES = Number(process.env.CRASH_LIVES ?? 3);

for (const cell of CELLS) {
  describe(`signals, ${cell.strategy} on ${cell.store}`, () => {
    let effects: readonly EffectRef[] = [];

    it("is watched undisturbed", async () => {
      effects = await withLife(cell, async (life) => {
        await record(life, "adoption");
        // The first rotation makes roles that later ones find; what every command does is common to the later ones.
        await record(life, "rotation");
        const rotated = await record(life, "rotation");
        const back = await record(life, "rollback");
        return rotated.filter(({ effect, nth }) => back.some((other) => other.effect === effect && other.nth === nth));
      });
      expect(effects.length).toBeGreaterThan(3);
    });

    for (let index = 0; index < LIVES; index += 1) {
      it(`survives every signal, ${index + 1} of ${LIVES}`, async () => {
        const problems = await withLife(cell, async (life) => {
          const found: string[] = [];
          await record(life, "adoption");
          await record(life, "rotation");
          for (const [turn, sent] of SIGNALS.entries()) {
            const command = COMMANDS[(index + turn) % COMMANDS.length] ?? "run";
            const ref = effects[(index + turn * LIVES) % effects.length] as EffectRef;
            const side = turn % 2 === 0 ? "before" : "after";
            const said = await interrupt(life, { ...ref, side, command, sent });
            const what = `${sent.signal} to the ${sent.to}, rotation ${command}, ${side} ${ref.effect}`;
            console.log(`${cell.strategy} ${cell.store}: ${what}: ${said.length === 0 ? "survived" : "NOT SURVIVED"}`);
            found.push(...said.map((problem) => `${what}: ${problem}`));
          }
          return found;
        });
        expect(problems).toEqual([]);
      });
    }
  });
}

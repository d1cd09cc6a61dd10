import { expect } from "vitest";
import type { Cell } from "./cell";
import { withLife } from "./cell";
import { crash, type Point } from "./crash";

/** One platform, killed at each of the points in turn. */
export async function survives(cell: Cell, points: readonly Point[]): Promise<void> {
  await withLife(cell, async (life) => {
    for (const point of points) {
      const { problems, rows, attempts } = await crash(life, point);
      expect(problems, `${point.operation}, ${point.victim} ${point.side} ${point.effect}`).toEqual([]);
      expect(rows.found).toBe(rows.expected);
      expect(attempts.tried).toBeGreaterThan(0);
    }
  });
}

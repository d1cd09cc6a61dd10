import { randomOf } from "../disuse/simulate";
import type { End } from "./cluster";
import { configOf, Life, type Setting } from "./life";
import { Log } from "./platform";

export type { Setting } from "./life";

const MINUTE = 60_000;

/** What it showed. */
export interface Shown {
  readonly stacks: number;
  readonly runs: number;
  readonly acting: number;
  readonly deaths: Readonly<Record<Exclude<End, "itself">, number>>;
  readonly refused: number;
  readonly locksCleared: number;
  readonly resumed: number;
  /** Stacks whose password was rotated once, begun in an opening and before its maximum age, and whose old login was ended. */
  readonly once: number;
  readonly stuck: number;
  readonly late: number;
  readonly rows: number;
  /** The most pods that began in one minute, and rotations that went on at once. */
  readonly peakPods: number;
  readonly peakRotations: number;
}

/** @throws Error if two engines act at once, a login in use does not work, or a service is left behind */
export async function simulateStacks(setting: Setting): Promise<Shown> {
  const log = new Log();
  const lives: Life[] = [];
  for (let index = 0; index < setting.stacks; index++) {
    const random = randomOf(setting.seed * 100_003 + index);
    const life = new Life(index, random, configOf(index, setting.spread), setting, log);
    await life.live();
    if (life.isSettled) life.check();
    lives.push(life);
  }
  const sum = (of: (life: Life) => number) => lives.reduce((all, life) => all + of(life), 0);
  const died = (end: End) => sum(({ deaths }) => deaths.filter((one) => one === end).length);
  const rotated = new Map<string, number>();
  for (const { key } of log.rows) {
    const [secret = "", step = ""] = [key.slice(0, key.lastIndexOf("/")), key.slice(key.lastIndexOf("/") + 1)];
    if (step.includes("ROTATE")) rotated.set(secret, (rotated.get(secret) ?? 0) + 1);
  }
  const begins = lives.map(({ begun }) => begun);
  return {
    stacks: setting.stacks,
    runs: sum(({ pods }) => pods.length),
    acting: sum(({ counts }) => counts.acting),
    deaths: {
      drained: died("drained"),
      killed: died("killed"),
      "node lost, killed": died("node lost, killed"),
      "node lost, goes on": died("node lost, goes on"),
    },
    refused: sum(({ counts }) => counts.refused),
    locksCleared: sum(({ counts }) => counts.cleared),
    resumed: sum(({ counts }) => counts.resumed),
    once: lives.filter(
      (life, index) =>
        life.isSettled &&
        rotated.get(`database/db-${index}`) === 1 &&
        life.begun.every(({ at, inOpening, limit }) => inOpening && at <= limit),
    ).length,
    stuck: lives.filter((life) => !life.isSettled).length,
    late: begins.filter((begun) => begun.some(({ at, limit }) => at > limit)).length,
    rows: log.rows.length,
    peakPods: peak(lives.flatMap(({ pods }) => pods.map((at) => Math.floor(at / MINUTE)))),
    peakRotations: atOnce(lives.flatMap(({ rotations }) => rotations)),
  };
}

function peak(minutes: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const minute of minutes) counts.set(minute, (counts.get(minute) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

function atOnce(spans: readonly { readonly from: number; readonly to: number }[]): number {
  const moves = spans.flatMap(({ from, to }) => [[from, 1] as const, [to, -1] as const]);
  moves.sort(([a, first], [b, second]) => a - b || first - second);
  let [now, most] = [0, 0];
  for (const [, change] of moves) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

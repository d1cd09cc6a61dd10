import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Blackout, Calendar, Window } from "../core/calendar";
import { eventsOf, spansOfEvents } from "../core/calendar-file";
import { pauseOf } from "../core/calendar-schema";
import { formatDuration } from "../core/duration";
import { rotationTakes } from "../core/duration-estimate";
import { messageOf } from "../core/errors";
import type { Problem } from "../core/problem";
import { DAY } from "../core/time";
import { startOfDay } from "../core/wall-clock";
import { type SecretConfig, traitsOf } from "../kinds/schemas";
import type { Config } from "./schema";

/** The part of the config that says when rotations run. */
export type CalendarConfig = Partial<
  Pick<Config, "window" | "blackouts" | "market" | "services" | "preflight" | "environment">
>;

/**
 * When the rotations of a secret may run; undefined if the config does not limit it. A secret's own `window` replaces the
 * stack's, its own `blackouts` are in addition.
 */
export function calendarOf(config: CalendarConfig, secret: SecretConfig): Calendar | undefined {
  const { market, preflight } = config;
  const windows = secret.window ?? config.window ?? [];
  const blackouts = [...(config.blackouts ?? []), ...(secret.blackouts ?? [])];
  const closed = preflight?.allowOpenMarket ? undefined : market;
  if (!traitsOf(secret).ages) return undefined;
  if (windows.length + blackouts.length === 0 && closed === undefined && secret.paused === undefined) return undefined;
  const timezone = windows[0]?.timezone ?? market?.timezone ?? "UTC";
  return {
    windows,
    blackouts,
    market: closed,
    paused: secret.paused && pauseOf(secret.paused, (day) => startOfDay(day, timezone)),
    timezone,
    takes: takesOf(config, secret),
  };
}

/** How long a rotation of a secret may take, as the preflight has it; a service that does not exist takes none. */
function takesOf({ services = {} }: CalendarConfig, { restart }: SecretConfig): number {
  const known = restart.flatMap((name) => (Object.hasOwn(services, name) ? (services[name] ?? []) : []));
  return rotationTakes(known.map(({ timeout, hosts }) => ({ timeout, hosts: hosts.length })));
}

/**
 * A secret's share of `policy.jitter`, in milliseconds: how much earlier it is due. It depends on the environment and the
 * secret's name alone, so it is the same in every run.
 */
export function earlinessOf({ environment = "" }: CalendarConfig, { name }: SecretConfig, jitter: number): number {
  const hash = createHash("sha256").update(`${environment}/${name}`).digest().readUInt32BE(0);
  return Math.floor(((hash / 2 ** 32) * jitter) / 60_000) * 60_000;
}

type Placed = readonly [path: readonly PropertyKey[], list: readonly Blackout[] | undefined];

/** Every list of blackouts in the config. */
const lists = ({ blackouts, market, secrets }: Partial<Config>): Placed[] => [
  [["blackouts"], blackouts],
  [["market", "holidays"], market?.holidays],
  ...(secrets ?? []).map((secret, index): Placed => [["secrets", index, "blackouts"], secret.blackouts]),
];

/** The texts of the iCalendar files that a config names, read once. */
export class CalendarFiles {
  private readonly texts = new Map<string, string>();

  /** @param folder the project's, to which paths are relative */
  constructor(private readonly folder: string) {}

  /** What is wrong with the files; those of a part of the config that is wrong itself are not read. */
  problems(config: Partial<Config>): Problem[] {
    return lists(config).flatMap(([path, list]) =>
      (Array.isArray(list) ? list : []).flatMap((blackout: Blackout, index): Problem[] => {
        if (blackout.kind !== "file") return [];
        const message = this.read(blackout.file);
        return message === undefined ? [] : [{ path: [...path, index], message }];
      }),
    );
  }

  private read(file: string): string | undefined {
    const path = resolve(this.folder, file);
    try {
      const text = readFileSync(path, "utf8");
      spansOfEvents(eventsOf(text), "UTC", Date.now() + 2 * 366 * DAY);
      this.texts.set(file, text);
      return undefined;
    } catch (error) {
      return `expected an iCalendar file, found ${path}: ${messageOf(error)}`;
    }
  }

  /** The config with the texts of its files. */
  filled<T extends Partial<Config>>(config: T): T {
    if (this.texts.size === 0) return config;
    const fill = (list: readonly Blackout[]) =>
      list.map((one) => (one.kind === "file" ? { ...one, text: this.texts.get(one.file) ?? "" } : one));
    const { blackouts, market, secrets } = config;
    return {
      ...config,
      ...(blackouts === undefined ? {} : { blackouts: fill(blackouts) }),
      ...(market === undefined ? {} : { market: { ...market, holidays: fill(market.holidays) } }),
      ...(secrets === undefined
        ? {}
        : { secrets: secrets.map((one) => (one.blackouts ? { ...one, blackouts: fill(one.blackouts) } : one)) }),
    };
  }
}

/** What ties the calendar to the rest of the config. */
export function calendarChecks(config: Config): Problem[] {
  const { secrets, window = [] } = config;
  const aging = secrets.filter((secret) => traitsOf(secret).ages);
  const slowest = aging.filter((secret) => secret.window === undefined).map((secret) => takesOf(config, secret));
  return [
    ...tooShort(window, ["window"], Math.max(0, ...slowest)),
    ...secrets.flatMap((secret, index) => {
      const path = ["secrets", index];
      if (traitsOf(secret).ages) return tooShort(secret.window ?? [], [...path, "window"], takesOf(config, secret));
      const keys = (["window", "blackouts", "paused"] as const).filter((key) => secret[key] !== undefined);
      const message = "expected only for a secret that is rotated by age: these logins end by themselves";
      return keys.map((key) => ({ path: [...path, key], message }));
    }),
  ];
}

function tooShort(windows: readonly Window[], path: readonly PropertyKey[], takes: number): Problem[] {
  return windows.flatMap(({ from, to }, index) => {
    const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
    const length = ((minutes(to) - minutes(from) + 1440) % 1440 || 1440) * 60_000;
    if (length >= takes) return [];
    const message = `expected at least ${formatDuration(takes)}, which a rotation may take (the time limits of its restarts), found ${formatDuration(length)}`;
    return [{ path: [...path, index], message }];
  });
}

import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Duration, parseDuration } from "../../core/duration";
import { messageOf } from "../../core/errors";
import type { Looked } from "../operate/watch";
import { type CommonOptions, common, EXIT, messageFor, print, printJson, projectOf } from "../run-command";

interface WatchOptions extends CommonOptions {
  readonly interval: Duration;
  readonly once?: true;
}

/** `rotation watch` */
export function registerWatch(program: Command): void {
  common(
    program
      .command("watch")
      .description("follow who still uses each previous login, until it is revoked; runs until it is ended"),
    "rotation watch --stack prod\nrotation watch --once --stack prod   (for a scheduler, every 10 minutes)",
  )
    .addOption(
      new Option("--interval <duration>", "the time between two looks, from 1s to 10m")
        .argParser(interval)
        .default(parseDuration("60s"), "60s"),
    )
    .option("--once", "look once and end")
    .action(async (options: WatchOptions) => {
      const project = await projectOf(options);
      const { watchOnce } = await import("../operate/watch");
      const { lookLine } = await import("../render/watch");
      const said = new Map<string, string>();
      const say = (looked: readonly Looked[]) => {
        if (options.json) return options.once ? printJson(looked) : print(JSON.stringify(looked));
        for (const look of looked) {
          const line = lookLine(look);
          if (said.get(look.secret) !== line) print(line);
          said.set(look.secret, line);
        }
      };
      if (options.once) {
        const looked = await watchOnce(project);
        say(looked);
        if (looked.length === 0 && !options.json) print("There is no previous login to watch.");
        process.exitCode = looked.some(({ error }) => error !== undefined) ? EXIT.failed : EXIT.fine;
        return;
      }
      await untilEnded(options.interval, async () => {
        // What fails now may pass: the time until it does is not watched.
        const looked = await watchOnce(project).catch(async (error: unknown) => {
          process.stderr.write(`error: ${await messageFor(error)}\n`);
          return [];
        });
        say(looked);
      });
    });
}

/** @throws InvalidArgumentError */
function interval(text: string): Duration {
  try {
    const duration = parseDuration(text);
    if (duration >= parseDuration("1s") && duration <= parseDuration("10m")) return duration;
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
  throw new InvalidArgumentError(`expected from 1s to 10m, found ${text}`);
}

/** Does it again and again; a signal ends it after the look that runs. */
async function untilEnded(every: number, look: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end);
  while (!ended.signal.aborted) {
    await look();
    await pause(every, undefined, { signal: ended.signal }).catch(() => undefined);
  }
}

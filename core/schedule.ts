import { createHash } from "node:crypto";

/** A number that is the same for the same text, from 0 to `below` - 1. */
const share = (text: string, below: number): number =>
  createHash("sha256").update(text).digest().readUInt32BE(0) % below;

/**
 * A name that Kubernetes takes (RFC 1123: small letters, digits, `-`), another one for each stack. A stack's name that is one
 * already stays as it is; any other, or one that is too long, ends with ten digits of its hash.
 *
 * @param longest how many characters it may have, at least 12
 */
export function kubernetesName(stack: string, longest: number): string {
  const plain = stack
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const looksHashed = /(^|-)[0-9a-f]{10}$/.test(plain);
  if (plain === stack && plain.length <= longest && !looksHashed) return plain;
  const hash = createHash("sha256").update(stack).digest("hex").slice(0, 10);
  const begin = plain.slice(0, longest - 11).replace(/-$/, "");
  return begin === "" ? hash : `${begin}-${hash}`;
}

const FIELD = /^[0-9A-Za-z*,/-]+$/;

/**
 * A cron schedule with a minute of its own for each stack, so that many do not begin at once: a number becomes a minute from
 * it to the end of the hour, and with a step, such as every 15 minutes, each stack begins at another minute of the 15.
 *
 * @param schedule five fields, such as `0 * * * *`
 * @throws RangeError if it is no such schedule
 */
export function spreadSchedule(schedule: string, stack: string): string {
  const [minute = "", ...others] = schedule.trim().split(/\s+/);
  if (others.length !== 4 || !others.every((field) => FIELD.test(field)))
    throw new RangeError(`expected five fields of cron, such as "0 * * * *", found ${schedule}`);
  if (minute === "*") return ["*", ...others].join(" ");
  const every = /^\*\/([1-9]\d?)$/.exec(minute)?.[1];
  if (every !== undefined && Number(every) < 60)
    return [`${share(stack, Number(every))}-59/${every}`, ...others].join(" ");
  if (/^[0-5]?\d$/.test(minute)) return [Number(minute) + share(stack, 60 - Number(minute)), ...others].join(" ");
  throw new RangeError(`expected a minute from 0 to 59, * or */N in front of ${schedule}, found ${minute}`);
}

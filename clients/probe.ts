import * as z from "zod";
import { StepError } from "../core/errors";
import { type HealthProbe, judge, LONGEST_BODY, type Verdict } from "../core/health";
import { quoted } from "../core/shell-word";
import type { RunScript } from "./shell";

/** A {@link HealthProbe} in a step's input. */
export const healthProbe = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("http"),
    url: z.string(),
    rule: z.object({
      status: z.array(z.number()).readonly(),
      field: z.string().nullable(),
      equals: z.array(z.string()).readonly(),
      text: z.array(z.string()).readonly().nullable(),
    }),
  }),
  z.object({ kind: z.literal("tcp"), host: z.string(), port: z.number() }),
  z.object({ kind: z.literal("command"), command: z.string() }),
]);

/** Seconds that an answer may take. */
const PATIENCE = 10;

/**
 * Asks services for their health where they run, and judges what they answer.
 *
 * @param seconds how long an answer may take.
 * @throws StepError where the machine has not what is needed to ask
 */
export async function askHealth(
  probes: readonly HealthProbe[],
  run: RunScript,
  seconds: number = PATIENCE,
): Promise<Verdict[]> {
  if (probes.length === 0) return [];
  const rounds = Math.ceil(probes.length / AT_ONCE);
  const { output } = await run(probeScript(probes, seconds), (rounds * (seconds + 2) + 20) * 1000);
  const lines = output.split("\n").filter((line) => line.startsWith(MARK));
  if (lines.length !== probes.length) {
    throw new StepError(
      `the services could not be asked for their health: ${output.trim().slice(-300) || "no answer"}`,
    );
  }
  return probes.map((probe, index) => {
    const [code = "", body = "", error = ""] = (lines[index] ?? "").slice(MARK.length).split(",");
    const decoded = (part: string) => Buffer.from(part, "base64");
    return judge(probe, { code: Number(code), body: decoded(body), error: decoded(error).toString("utf8") });
  });
}

const MARK = "health,";

/** A small machine is not to be asked for a hundred services at the same moment. */
const AT_ONCE = 16;

/** Asks all of them in one session (a server opens ten a connection by default), and prints a line for each. */
function probeScript(probes: readonly HealthProbe[], seconds: number): string {
  const asked = probes.flatMap((probe, index) => [
    `( ${askOf(probe, index, seconds)} ) >${index} 2>${index}.error </dev/null &`,
    ...((index + 1) % AT_ONCE === 0 ? ["wait"] : []),
  ]);
  return [
    'd=$(mktemp -d) || exit 1; trap \'rm -rf "$d"\' EXIT; cd "$d" || exit 1',
    ...asked,
    "wait",
    `coded() { [ ! -e "$1" ] || head -c ${LONGEST_BODY} "$1" | base64 | tr -d '\\n'; }`,
    `i=0; while [ $i -lt ${probes.length} ]; do`,
    `  printf '${MARK}%s,%s,%s\\n' "$(cat $i)" "$(coded $i.body)" "$(coded $i.error)"; i=$((i + 1))`,
    "done",
    "exit 0",
  ].join("\n");
}

/** Prints the status alone. The answer goes into a file: nothing in it can be taken for its status. */
function askOf(probe: HealthProbe, index: number, seconds: number): string {
  switch (probe.kind) {
    case "http": {
      // An answer without an end is cut off. `-g`: brackets in an address are its own.
      const tooLong = `[ $? -lt 128 ] || echo 'its answer is longer than ${LONGEST_BODY / 1024} KiB' >&2`;
      const limit = `ulimit -f ${(LONGEST_BODY / 512) * 2}`;
      return `${limit}; curl -gsS --max-time ${seconds} -o ${index}.body -w '%{http_code}' ${quoted(probe.url)} || ${tooLong}`;
    }
    case "tcp": {
      const [host, port] = [quoted(probe.host), probe.port];
      return (
        `if command -v bash >/dev/null; then timeout ${seconds} bash -c 'exec 3<>"/dev/tcp/$0/$1"' ${host} ${port}; ` +
        `else timeout ${seconds} nc -z ${host} ${port}; fi; echo $?`
      );
    }
    case "command":
      return `timeout ${seconds} sh -c ${quoted(probe.command)} >${index}.body 2>&1; echo $?`;
  }
}

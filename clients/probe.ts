import * as z from "zod";
import { StepError } from "../core/errors";
import { type HealthProbe, judge, LONGEST_BODY, type Verdict } from "../core/health";
import { quoted } from "../core/shell-word";
import functions from "./health.sh?raw";
import type { RunScript } from "./shell";

/** A {@link HealthProbe} in a step's input. */
export const healthProbe = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("http"),
    url: z.string(),
    method: z.string().optional(),
    shows: z.string().optional(),
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
 * Queries the health of services where they run, and judges their answers.
 *
 * @param seconds how long an answer may take.
 * @throws StepError if the machine lacks the tools for it
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
    throw new StepError(`the services' health could not be queried: ${output.trim().slice(-300) || "no answer"}`);
  }
  return probes.map((probe, index) => {
    const [code = "", body = "", error = ""] = (lines[index] ?? "").slice(MARK.length).split(",");
    const decoded = (part: string) => Buffer.from(part, "base64");
    return judge(probe, { code: Number(code), body: decoded(body), error: decoded(error).toString("utf8") });
  });
}

const MARK = "health,";

/** The most queries at the same time, for small machines. */
const AT_ONCE = 16;

/** Queries all of them in one session (a server allows ten a connection by default), and prints a line for each. */
const probeScript = (probes: readonly HealthProbe[], seconds: number): string =>
  [
    `longest=${LONGEST_BODY}`,
    functions,
    ...probes.flatMap((probe, index) => [
      `ask ${[probe.kind, index, seconds, ...argumentsOf(probe)].join(" ")}`,
      ...((index + 1) % AT_ONCE === 0 ? ["wait"] : []),
    ]),
    `tell ${probes.length}`,
    "exit 0",
  ].join("\n");

function argumentsOf(probe: HealthProbe): string[] {
  switch (probe.kind) {
    case "http":
      return [probe.url, ...(probe.method === undefined ? [] : [probe.method])].map(quoted);
    case "tcp":
      return [quoted(probe.host), String(probe.port)];
    case "command":
      return [quoted(probe.command)];
  }
}

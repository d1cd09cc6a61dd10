import { connect } from "node:net";
import { type ProbeFigures, probeFigures } from "../core/probes";
import { within } from "./poll";
import { socketOf } from "./vault-session";

/** Milliseconds. The probes wait for the logins that they have begun. */
const LIMIT = 15_000;

/** The name of a stack's probes, for {@link socketOf}. */
export const probeSession = (stack: string): string => `probes of ${stack}`;

/**
 * What the probes of this update have seen of a secret: they end with it. Undefined if there are none.
 *
 * Never an error: a finished rotation must not look undone since its probes are gone.
 */
export async function askProbes(stack: string, secret: string): Promise<ProbeFigures | undefined> {
  try {
    const socket = connect(socketOf(probeSession(stack)));
    try {
      const answer = new Promise<string>((resolve, reject) => {
        const chunks: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => chunks.push(chunk));
        socket.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        socket.once("error", reject);
        socket.write(`${JSON.stringify({ secret })}\n`);
      });
      return probeFigures.parse(JSON.parse(await within(LIMIT, answer, () => new Error("no answer"))));
    } finally {
      socket.destroy();
    }
  } catch {
    return undefined;
  }
}

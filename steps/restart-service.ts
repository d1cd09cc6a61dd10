import * as z from "zod";
import { shellHere } from "../clients/shell";
import { hostReference, sshKey, withHost } from "../clients/ssh";
import { atPlaceInput, restartAt } from "../components/restart/at-place";
import { runStep } from "./run-step";

const input = atPlaceInput.extend({
  /** The host that it runs on; undefined for this machine. */
  host: hostReference.extend({ name: z.string() }).optional(),
  privateKey: sshKey.optional(),
  /** The activation that the restart belongs to. */
  activation: z.string(),
});

/** The store already holds the new credential: a short outage of a host must not stop the rollout. */
const ATTEMPTS = 3;

/** Restarts one service at one place, and waits until it is healthy. */
await runStep(input, async ({ host, privateKey, activation, ...restart }) => {
  // An earlier version of this program has rolled it out, by a resource of another type.
  if (process.env.ROLLED_OUT === activation) return { restarted: false };
  const { said, hooks } =
    host === undefined
      ? await restartAt({ ...restart, place: "this machine" }, shellHere())
      : await withHost(
          host.name,
          host,
          privateKey,
          (run) => restartAt({ ...restart, place: host.name }, run),
          ATTEMPTS,
        );
  return { restarted: true, said, ...(hooks.length === 0 ? {} : { hooks }) };
});

import * as z from "zod";
import { shellHere } from "../clients/shell";
import { hostReference, sshKey, withHost } from "../clients/ssh";
import { runHook } from "../components/restart/hooks";
import { secret } from "../core/secret-fields";
import { runStep } from "./run-step";

const input = z.object({
  hook: z.enum(["before", "after"]),
  command: z.string(),
  /** Milliseconds. */
  timeout: z.number(),
  secretName: z.string(),
  generation: z.number(),
  /** The host that it runs on; undefined for this machine. */
  host: hostReference.extend({ name: z.string() }).optional(),
  privateKey: sshKey.optional(),
  /** What the command may have read and must not be repeated: the new credential. */
  redacted: z.array(z.object({ value: secret(z.string()) })),
  /** The activation that it belongs to. */
  activation: z.string(),
});

/** Runs a command of the user's before or after a rotation. */
await runStep(input, async ({ hook, command, timeout, secretName, generation, host, privateKey, activation }) => {
  // The last finished update has rolled it out, before the config had this hook.
  if (process.env.ROLLED_OUT === activation) return { ran: false };
  const on = host === undefined ? ("runner" as const) : ("host" as const);
  const variables = { ROTATION_SECRET: secretName, ROTATION_GENERATION: String(generation) };
  const consequence =
    hook === "before"
      ? "Nothing of this rotation was changed before it. Fix it and run this again, which continues here; or roll back."
      : "The new credential is in use everywhere. Fix it and run this again, which repeats this hook alone and finishes.";
  const use = (run: ReturnType<typeof shellHere>) =>
    runHook(hook, { command, on, timeout }, variables, run, consequence);
  return {
    ran: true,
    hook: host === undefined ? await use(shellHere()) : await withHost(host.name, host, privateKey, use),
  };
});

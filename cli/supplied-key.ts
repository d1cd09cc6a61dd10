import type { IssuedSecret, SuppliedKind } from "../kinds/issuer/supplied-kind";
import type { AddedKey } from "./operate/supplied-keys";
import { type CommonOptions, print, printJson, projectOf } from "./run-command";

/** Says that a key was added. @param of whose it is, as its issuer says @param noun what it is called */
export function printAdded(stack: string, { secret, label, previous }: AddedKey, of: string | undefined, noun: string) {
  print(
    `${secret}: ${label} works${of === undefined ? "" : ` (${of})`} and is in the config of ` +
      `${stack}${previous === undefined ? "" : `; ${previous} is kept as the previous ${noun}`}.\n` +
      `Next: \`rotation run --stack ${stack}\`, or \`pulumi up --stack ${stack}\`.`,
  );
}

/** Takes the previous key of a secret out of the config, and says so. */
export async function forget<S extends IssuedSecret>(
  kind: SuppliedKind<S>,
  name: string | undefined,
  options: CommonOptions,
): Promise<void> {
  const { forgetKey, openKeyRing } = await import("./operate/supplied-keys");
  const project = await projectOf(options);
  const ring = await openKeyRing(project, kind, name);
  const label = await forgetKey(project, ring);
  if (options.json) return printJson({ secret: ring.secret.name, forgotten: label });
  print(
    `${ring.secret.name}: ${label} was removed from the config of ${project.stack}; the next update removes it from the state.`,
  );
}

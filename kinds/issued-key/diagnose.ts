import { placesOf, restartPlaces } from "../../components/places";
import { stored, writeBack } from "../../components/stored-values";
import type { SecretState } from "../../core/state";
import { holdsEntry } from "../../stores/entries";
import { connectIssuer } from "../issuer/connect";
import type { About, Finding, Found, StackView } from "../kind-operations";
import { credentialsOf, type KnownCredential } from "./credentials";
import type { IssuedConfig, IssuedKind } from "./issued-kind";

/** The store holds other values than those in use, or the issuer refuses them. */
export async function issuedFindings<S extends IssuedConfig>(
  kind: IssuedKind<S>,
  stack: StackView,
  secret: S,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { active } = credentialsOf(kind, stack, secret, state);
  if (active === undefined) return [];
  const [foreign, { answer, evidence }] = await Promise.all([
    foreignPaths(stack, active),
    connectIssuer(kind.referenceOf(secret)).verify(active.values),
  ]);
  const found: Found[] = [];
  if (foreign.length > 0) found.push(storeDiffers(stack, secret, state, active, foreign.join("; ")));
  if (answer === "refused")
    found.push({
      cause: "the issuer refuses the credential in use: someone has ended it there",
      evidence,
      command: stack.command(`rotate-now ${secret.name}`),
      hint: "issues a new one, and restarts the services",
    });
  if (answer === "unknown")
    found.push({
      cause: "whether the credential in use works could not be asked",
      evidence,
      command: stack.command("preflight"),
    });
  return found.map(about);
}

/** Each path that holds other values than this stack wrote, with its version; never a value. */
async function foreignPaths({ config }: StackView, { entries }: KnownCredential): Promise<string[]> {
  const held = await Promise.all(entries.map(async (entry) => ({ entry, found: await stored(config, entry.path) })));
  return held
    .filter(({ entry, found }) => !holdsEntry(found, entry))
    .map(({ entry: { path }, found }) =>
      found === undefined ? `${path} is missing` : `${path} has version ${found.version}`,
    );
}

const storeDiffers = (
  stack: StackView,
  secret: IssuedConfig,
  state: SecretState,
  { entries }: KnownCredential,
  evidence: string,
): Found => ({
  cause: "the store holds other values than those in use: they were changed by hand",
  evidence,
  command: stack.command(`diagnose ${secret.name} --fix`),
  hint: "writes the values in use back and restarts the services",
  fix: async () => {
    await writeBack(stack.config, entries, state);
    return `the values are back in the store; ${await restartPlaces(stack.config, placesOf(stack.config, secret))}`;
  },
});

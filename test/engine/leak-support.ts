import type { Secrets } from "../unit/leaks/forms";
import type { Bench } from "./harness";
import { labSecrets as secretsOf } from "./leaks/hunt";
import { verifiers } from "./role-support";

export { filesBelow } from "../unit/leaks/files";
export { leaksIn, type Secrets } from "../unit/leaks/forms";
export { watchProcesses } from "../unit/leaks/processes";

/** Every credential that the lab has made; the verifiers apart, for PostgreSQL's log has them. */
export const labSecrets = ({ lab }: Bench): Secrets => secretsOf(lab);

/** The passwords that are in the slots now, by slot and generation. */
export async function slotSecrets({ stack }: Bench): Promise<Secrets> {
  const { exitCode, stdout, stderr } = await stack.pulumi(["stack", "export", "--show-secrets"]);
  if (exitCode !== 0) throw new Error(`pulumi stack export failed: ${stderr}`);
  const { deployment } = JSON.parse(stdout) as { deployment: { resources: SlotResource[] } };
  const slots = deployment.resources.filter(({ type }) => type === "random:index/randomPassword:RandomPassword");
  return Object.fromEntries(
    slots.map(({ urn, inputs, outputs }) => [
      `${urn.split("::").at(-1)} of generation ${inputs.keepers.generation}`,
      String(JSON.parse(outputs.result.plaintext)),
    ]),
  );
}

interface SlotResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs: { readonly keepers: { readonly generation: string } };
  readonly outputs: { readonly result: { readonly plaintext: string } };
}

/** What PostgreSQL keeps of each password. */
export async function verifierSecrets(bench: Bench): Promise<Secrets> {
  const known = Object.entries(await verifiers(bench)).filter(([, verifier]) => verifier !== null);
  return Object.fromEntries(known.map(([role, verifier]) => [`the verifier of ${role}`, String(verifier)]));
}

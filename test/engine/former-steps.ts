import { activationIn } from "../../core/phases";
import { nameOf } from "../../core/resource-names";
import { type Exported, secret, stdinOf } from "./exported";

/**
 * A login's settings and its verifier's salt as they were before: copied by a step of their own, and a resource beside the
 * password.
 */
export function withFormerSteps(resources: readonly Exported[]): Exported[] {
  const salts = new Map<string, Exported>();
  for (const resource of resources) {
    const salt = saltOf(resource);
    if (salt !== undefined) salts.set(nameOf(salt.urn), salt);
  }
  const verify = resources.find(({ urn }) => urn.endsWith("-verify-login"));
  return resources.flatMap((resource) => {
    const name = nameOf(resource.urn);
    const salt = salts.get(name.replace(/-password$/, "-salt"));
    if (salt !== undefined) return [resource, salt];
    if (resource.type.endsWith(":LoginRole")) return [without(resource, "copies")];
    if (resource === verify) return [withStdin(resource, ({ copy: _, ...input }) => input)];
    const own = salts.get(name.replace(/-login-([ab])-set$/, "-slot-$1-salt"))?.id;
    if (own !== undefined) return [withStdin(resource, (input) => withSalt(input, own))];
    const copy = verify && copyInput(verify);
    if (
      verify === undefined ||
      copy === undefined ||
      resource.type !== "postgresql:index/role:Role" ||
      resource.inputs?.name !== copy.to
    )
      return [resource];
    return [resource, copyRole(verify, copy)];
  });
}

type Input = Readonly<Record<string, unknown>>;

/** What the copy's own step read; undefined if nothing is copied. */
function copyInput(verify: Exported) {
  const { owner, username, copy } = stdinOf<Input & { readonly copy?: { database: object; from: string } }>(verify);
  return copy && { database: copy.database, owner, from: copy.from, to: username };
}

/** A command with another text on stdin, which is a secret. */
function withStdin(resource: Exported, change: (input: Input) => Input): Exported {
  const stdin = secret(JSON.stringify(change(stdinOf<Input>(resource))));
  const outputs = { ...(resource.outputs as Input), stdin };
  return { ...resource, inputs: { ...resource.inputs, stdin }, outputs };
}

function saltOf({ urn, type, inputs, outputs: _, ...rest }: Exported): Exported | undefined {
  if (!type.endsWith(":RandomPassword")) return undefined;
  const id = Buffer.from("sixteen bytes of").toString("base64");
  const own = { length: 16, keepers: inputs?.keepers };
  const hex = Buffer.from(id, "base64").toString("hex");
  return {
    ...rest,
    urn: urn.replace(type, SALT).replace(/-password$/, "-salt"),
    type: SALT,
    id,
    inputs: own,
    outputs: { ...own, base64: secret(id), hex: secret(hex) },
    additionalSecretOutputs: ["base64", "hex"],
  };
}

const SALT = "random:index/randomBytes:RandomBytes";

const withSalt = (input: Input, salt: string) =>
  Object.fromEntries(
    Object.entries(input).flatMap(([key, value]) =>
      key === "password"
        ? [
            [key, value],
            ["salt", salt],
          ]
        : key === "salt"
          ? []
          : [[key, value]],
    ),
  );

function copyRole(verify: Exported, copy: object): Exported {
  const inputs = {
    create: "node dist/steps/copy-role.mjs",
    stdin: JSON.stringify({ ...copy, acts: true }),
    triggers: [activationIn(verify.inputs ?? {})],
    logging: "none",
    addPreviousOutputInEnv: false,
  };
  const urn = verify.urn.replace(/-verify-login$/, "-copy-role");
  return {
    ...verify,
    urn,
    id: "copy-role-0001",
    dependencies: [],
    propertyDependencies: {},
    ignoreChanges: [],
    inputs,
    outputs: { ...inputs, stdout: JSON.stringify({ changed: [] }), stderr: "" },
  };
}

const without = (resource: Exported, key: string): Exported => {
  const { [key]: _, ...inputs } = resource.inputs ?? {};
  return { ...resource, inputs };
};

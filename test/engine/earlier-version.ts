import { expect } from "vitest";
import type { Bench } from "./harness";

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  retainOnDelete?: boolean;
  dependencies?: string[];
  propertyDependencies?: unknown;
  id?: string;
}

const nameOf = (urn: string) => urn.split("::").at(-1) ?? "";

/**
 * Rewrites a stack's state as version 0.1 left it: the platform's own role and both login roles are roles of the plugin,
 * with login and password; there is no step that sets or copies a role.
 */
export async function asEarlierVersion({ stack }: Bench): Promise<void> {
  const exported = await stack.pulumi(["stack", "export", "--show-secrets"]);
  expect(exported.exitCode, exported.stderr).toBe(0);
  const state = JSON.parse(exported.stdout) as { deployment: { resources: Resource[] } };
  const { resources } = state.deployment;
  const steps = resources.filter(({ urn }) => /LoginRole|-copy-role$/.test(urn.split("::").slice(2).join("::")));
  const gone = new Set(steps.map(({ urn }) => urn));
  const inputsOf = (name: string) => {
    const { stdin } = steps.find(({ urn }) => nameOf(urn) === name)?.inputs ?? {};
    const text = typeof stdin === "string" ? stdin : JSON.parse((stdin as { plaintext: string }).plaintext);
    return JSON.parse(text) as { role: string; login: boolean };
  };
  const roles = resources.filter(({ type }) => type === "postgresql:index/role:Role");
  const [first] = roles;
  if (first === undefined) throw new Error("the state has no login role");
  const owner: Resource = structuredClone(first);
  const others = {
    roles: [],
    assumeRole: "",
    skipDropRole: true,
    skipReassignOwned: true,
    login: true,
    name: "trader",
  };
  Object.assign(owner, {
    urn: first.urn.replace(/-role-[ab]$/, "-role"),
    id: "trader",
    dependencies: [],
    propertyDependencies: {},
    inputs: { ...first.inputs, ...others },
    outputs: { ...first.outputs, ...others, id: "trader" },
  });
  for (const role of roles) {
    const { login } = inputsOf(`${nameOf(role.urn).replace("-role-", "-login-")}-set`);
    const known = { login, password: "SCRAM-SHA-256$4096:a$b:c" };
    role.inputs = { ...role.inputs, ...known };
    role.outputs = { ...role.outputs, ...known };
  }
  const kept = resources.filter(({ urn }) => !gone.has(urn));
  kept.splice(kept.indexOf(roles.at(-1) as Resource) + 1, 0, owner);
  for (const resource of kept) {
    resource.dependencies = (resource.dependencies ?? []).map((urn) => (gone.has(urn) ? first.urn : urn));
  }
  state.deployment.resources = sorted(kept);
  const imported = await stack.pulumi(["stack", "import"], { input: JSON.stringify(state) });
  expect(imported.exitCode, imported.stderr).toBe(0);
}

/** The engine wants each resource behind what it depends on. */
function sorted(resources: readonly Resource[]): Resource[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const done = new Set<string>();
  const result: Resource[] = [];
  const visit = (resource: Resource | undefined) => {
    if (resource === undefined || done.has(resource.urn)) return;
    done.add(resource.urn);
    for (const urn of [resource.parent ?? "", ...(resource.dependencies ?? [])]) visit(byUrn.get(urn));
    result.push(resource);
  };
  resources.forEach(visit);
  return result;
}

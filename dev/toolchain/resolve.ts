import { contextOf, resolvePulumi } from "../../cli/toolchain/resolve";
import type { PulumiTools, ResolveOptions, Tool } from "../../cli/toolchain/types";
import { resolveServer, type ServerName } from "./servers";

/** What the lab and the tests run: `pulumi`, and what comes from Python packages. */
export interface Toolchain extends PulumiTools {
  readonly openbao?: Tool;
  readonly moto?: Tool;
  /** Checks Kubernetes manifests against the published schemas, without a network. */
  readonly kubernetesValidate?: Tool;
  /** Checks shell scripts. */
  readonly shellcheck?: Tool;
  /** Matrix's chat server, for the proving ground. */
  readonly synapse?: Tool;
}

export type ToolName = "pulumi" | ServerName;

/** What {@link resolveToolchain} takes. */
export interface ToolchainOptions extends ResolveOptions {
  /** Which tools. The engine is always resolved. Default: only the engine. */
  need?: readonly ToolName[];
}

const KEYS = {
  openbao: "openbao",
  moto: "moto",
  "kubernetes-validate": "kubernetesValidate",
  shellcheck: "shellcheck",
  synapse: "synapse",
} as const satisfies Record<ServerName, keyof Toolchain>;

/**
 * Finds or makes what the project runs: the engine with its plugins, and each other tool that is needed from PATH, the
 * cache or PyPI. The first call can take minutes, later ones well under a second.
 * @throws ToolchainError with what was tried and what to install
 */
export async function resolveToolchain({ need = [], ...options }: ToolchainOptions = {}): Promise<Toolchain> {
  const context = contextOf(options);
  const servers = async () => {
    const found: Partial<Record<(typeof KEYS)[ServerName], Tool>> = {};
    for (const name of need) if (name !== "pulumi") found[KEYS[name]] = await resolveServer(name, context);
    return found;
  };
  // A build works while installations wait for the network.
  const [pulumi, others] = await together(resolvePulumi(context), servers());
  return { ...pulumi, ...others };
}

/** Both, and the end of both also if one fails, so that nothing is left running. @throws what the first one threw, or the second */
async function together<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

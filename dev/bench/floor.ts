import { join } from "node:path";
import type { Lab } from "../lab/lab";
import { createStack, type Stack } from "../lab/stack";
import type { Toolchain } from "../toolchain/resolve";

/** A plugin that our program uses, of which the floor program has one resource. */
export type FloorPlugin = "command" | "random" | "postgresql" | "vault";

/**
 * A stack of the least that a program with the same plugins costs: one resource of each. Without a plugin it is the empty
 * program. Both have the same SDK as ours, as a user would load it.
 */
export function floorStack(name: string, plugins: readonly FloorPlugin[], lab: Lab, tools: Toolchain): Promise<Stack> {
  const { host, port, database } = lab.postgres;
  const server = JSON.stringify({ host, port, database, sslmode: "disable", superuser: false });
  const resources: Readonly<Record<FloorPlugin, string>> = {
    command: 'new (require("@pulumi/command").local.Command)("floor", { create: "true" });',
    random: 'new (require("@pulumi/random").RandomId)("floor", { byteLength: 8 });',
    postgresql:
      `const { Provider, Role } = require("@pulumi/postgresql");` +
      `new Role("floor", { name: "floor" }, { provider: new Provider("floor-server", ${server}) });`,
    vault:
      'const vault = require("@pulumi/vault");' +
      `new vault.Policy("floor", { name: "${lab.environment}-floor", policy: "# nothing" }, ` +
      '{ provider: new vault.Provider("floor-vault", { skipChildToken: true }) });',
  };
  return createStack({
    dir: join(lab.dir, `stack-${name}`),
    stack: name,
    env: { ...tools.env, ...lab.env },
    config: { lab: {} },
    secrets: {},
    program: [
      ...plugins.map((plugin) => `{ ${resources[plugin]} }`),
      'exports.stack = require("@pulumi/pulumi").getStack();\n',
    ].join("\n"),
  });
}

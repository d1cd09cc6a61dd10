import { bridgedProvider } from "./bridge";
import { type PgConnection, pgConnection } from "./pg-client";
import { grantResource } from "./pg-grant";
import { roleResource } from "./pg-role";
import type { Provider } from "./provider";

/** The package `postgresql`: roles and grants, by SQL over the administrator's connection. */
export function postgresqlProvider(environment: NodeJS.ProcessEnv): Provider {
  let connection = pgConnection({}, environment);
  const current = (): PgConnection => connection;
  return bridgedProvider({
    name: "postgresql",
    secretConfig: ["password"],
    configure: (config) => {
      connection = pgConnection(config, environment);
    },
    resources: {
      "postgresql:index/role:Role": roleResource(current),
      "postgresql:index/grant:Grant": grantResource(current),
    },
  });
}

import { environmentSecrets } from "../../clients/environment-secrets";
import type { Config } from "../../config";
import { schema } from "../../config/schema";
import { secretsIn } from "../../core/secret-fields";
import type { Project } from "./project";

export { environmentSecrets };

/** Every secret of the config, for `redact`: the fields that the schema marks. */
export const configSecrets = (config: Config): string[] => secretsIn(schema, config);

/** Every secret of the environment and of the config, for `redact`. */
export const secretsToRedact = ({ env }: Pick<Project, "env">, config: Config): string[] => [
  ...environmentSecrets(env),
  ...configSecrets(config),
];

import type { Config } from "../../config";
import { schema } from "../../config/schema";
import { secretsIn } from "../../core/secret-fields";

export { environmentSecrets } from "../../clients/environment-secrets";

/** Every secret that stands in the config, for `redact`: the fields that the schema marks. */
export const configSecrets = (config: Config): string[] => secretsIn(schema, config);

import type { Config } from "../config";
import { schema } from "../config/schema";
import { secretsIn } from "../rotation/secret-fields";

export { environmentSecrets } from "../steps/environment-secrets";

/** Every secret that stands in the config, for `redact`: the fields that the schema marks. */
export const configSecrets = (config: Config): string[] => secretsIn(schema, config);

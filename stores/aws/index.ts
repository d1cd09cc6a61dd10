import type { Store } from "../store";
import { AwsSecrets } from "./client";
import type { AwsConfig, AwsReference } from "./schema";

/** AWS Secrets Manager. */
export const aws = {
  connect: (reference: AwsReference) => new AwsSecrets(reference),
  declare: async (config: AwsConfig, environment: string) =>
    (await import("./declare")).declareSecrets(config, environment),
} satisfies Store<AwsConfig, AwsReference>;

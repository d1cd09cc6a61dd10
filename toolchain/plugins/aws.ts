import { type AwsClient, awsClient } from "./aws-client";
import { secretResource } from "./aws-secret";
import { secretVersionResource } from "./aws-secret-version";
import { bridgedProvider } from "./bridge";
import type { Provider } from "./provider";

/**
 * The package `aws`, as far as Secrets Manager goes, over the AWS SDK: to AWS or to an emulator. Its plugin was not
 * recorded: this one is held to its documentation.
 */
export function awsProvider(environment: NodeJS.ProcessEnv): Provider {
  let client = awsClient({}, environment);
  const current = (): AwsClient => client;
  return bridgedProvider({
    name: "aws",
    secretConfig: ["accessKey", "secretKey", "token"],
    configure: (config) => {
      client = awsClient(config, environment);
    },
    resources: {
      "aws:secretsmanager/secret:Secret": secretResource(current),
      "aws:secretsmanager/secretVersion:SecretVersion": secretVersionResource(current),
    },
  });
}

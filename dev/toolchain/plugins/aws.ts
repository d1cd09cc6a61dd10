import { type AwsClient, awsClient } from "./aws-client";
import { secretResource } from "./aws-secret";
import { secretVersionResource } from "./aws-secret-version";
import { getSecrets, tagResource } from "./aws-tag";
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
    invoke: async (token, args) => {
      if (token === "aws:secretsmanager/getSecrets:getSecrets") return getSecrets(client, args);
      throw new Error(
        `the offline plugin for aws has no function ${token}: it has aws:secretsmanager/getSecrets:getSecrets`,
      );
    },
    resources: {
      "aws:secretsmanager/secret:Secret": secretResource(current),
      "aws:secretsmanager/secretVersion:SecretVersion": secretVersionResource(current),
      "aws:secretsmanager/tag:Tag": tagResource(current),
    },
  });
}

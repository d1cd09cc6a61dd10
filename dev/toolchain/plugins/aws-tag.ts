import type { AwsClient } from "./aws-client";
import type { BridgedResource } from "./bridge";
import { isObject, type Properties } from "./values";

/** `aws.secretsmanager.Tag`: one tag of a secret; its other tags are not managed. */
export function tagResource(client: () => AwsClient): BridgedResource {
  const write = async (plan: Properties): Promise<Properties> => {
    const [SecretId, Key, Value] = [String(plan.secretId), String(plan.key), String(plan.value)];
    await client().attempt(`creating Secrets Manager tag (${Key}) for resource (${SecretId})`, (api) =>
      api.tagResource({ SecretId, Tags: [{ Key, Value }] }),
    );
    return { ...plan, region: client().region };
  };
  return {
    schema: {
      key: { required: true, forceNew: true },
      region: { computed: true, forceNew: true },
      secretId: { required: true, forceNew: true },
      value: { required: true },
    },
    create: async (plan) => ({ id: `${plan.secretId},${plan.key}`, state: await write(plan) }),
    update: async (_id, _old, plan) => write(plan),
    read: async (id) => {
      const { secretId, key } = parts(id);
      const found = await client().find(`reading Secrets Manager tag (${key}) for resource (${secretId})`, (api) =>
        api.describeSecret({ SecretId: secretId }),
      );
      const value = found?.Tags?.find((tag) => tag.Key === key)?.Value;
      return value === undefined ? undefined : { key, region: client().region, secretId, value };
    },
    delete: async (id) => {
      const { secretId, key } = parts(id);
      await client().find(`deleting Secrets Manager tag (${key}) for resource (${secretId})`, (api) =>
        api.untagResource({ SecretId: secretId, TagKeys: [key] }),
      );
    },
  };
}

/** An ARN holds no comma. */
const parts = (id: string) => ({ secretId: id.slice(0, id.indexOf(",")), key: id.slice(id.indexOf(",") + 1) });

/** `aws.secretsmanager.getSecrets`: ARNs and names of the secrets that the filters let through. */
export async function getSecrets(client: AwsClient, args: Properties): Promise<Properties> {
  const filters = Array.isArray(args.filters) ? args.filters.filter(isObject) : [];
  const Filters = filters.map(({ name, values }) => ({
    Key: String(name) as "name",
    Values: Array.isArray(values) ? values.map(String) : [],
  }));
  const found: { ARN?: string; Name?: string }[] = [];
  for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
    const page = { Filters, ...(token === undefined ? {} : { NextToken: token }) };
    const answer = await client.attempt("reading Secrets Manager Secrets", (api) => api.listSecrets(page));
    found.push(...(answer.SecretList ?? []));
    token = answer.NextToken;
  }
  const [arns, names] = [found.map(({ ARN = "" }) => ARN), found.map(({ Name = "" }) => Name)];
  return { id: client.region, arns, names, filters, region: client.region };
}

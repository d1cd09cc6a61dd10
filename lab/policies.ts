/** Which part of the store a policy is for. */
export interface PolicyScope {
  /** KV v2 mount, such as "secret". */
  mount: string;
  /** First part of every path, such as "paper". */
  environment: string;
}

/**
 * What the pipeline may do: write new versions, read them back, and mark them. It may not delete or destroy a version.
 * The Vault provider works with a child token of its own, hence `auth/token/create`.
 */
export const pipelinePolicy = ({ mount, environment }: PolicyScope): string => `
path "${mount}/data/${environment}/*" { capabilities = ["create", "update", "read"] }
path "${mount}/metadata/${environment}/*" { capabilities = ["create", "update", "read", "list"] }
path "${mount}/metadata/${environment}" { capabilities = ["list"] }
path "auth/token/create" { capabilities = ["update"] }
`;

/** What a service may do: read the values, and nothing else. */
export const servicePolicy = ({ mount, environment }: PolicyScope): string => `
path "${mount}/data/${environment}/*" { capabilities = ["read"] }
`;

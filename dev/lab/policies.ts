import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { projectRoot } from "../../cli/toolchain/project";

/** Which part of the store a policy is for. */
export interface PolicyScope {
  /** KV v2 mount, such as "secret". */
  mount: string;
  /** First part of every path, such as "paper". */
  environment: string;
}

/** A file below `deploy/`: the same that a platform's people use. */
export const deployFile = (name: string): string => readFileSync(join(projectRoot(), "deploy", name), "utf8");

/** A Vault policy of `deploy/vault/` for one part of the store. */
export const vaultPolicy = (name: string, { mount, environment }: PolicyScope): string =>
  deployFile(`vault/${name}.hcl`).replaceAll("ENVIRONMENT", environment).replaceAll('path "secret/', `path "${mount}/`);

/** What the pipeline may do: write new versions, read them back, and mark them. It may not delete or destroy a version. */
export const pipelinePolicy = (scope: PolicyScope): string => vaultPolicy("pipeline", scope);

/** What a service may do: read the values, and nothing else. */
export const servicePolicy = (scope: PolicyScope): string => vaultPolicy("services", scope);

/** SQL of `deploy/sql/` with psql's `:"name"` and `:'name'` replaced, as `psql -v name=value` does. @throws Error for a name without a value */
export const deploySql = (name: string, values: Readonly<Record<string, string>>): string =>
  deployFile(`sql/${name}.sql`)
    .replace(/^--.*\n/gm, "")
    .replace(/:(["'])(\w+)\1/g, (_, quote: string, key: string) => {
      const value = values[key];
      if (value === undefined) throw new Error(`expected a value for :"${key}" of deploy/sql/${name}.sql, found none`);
      return quote === '"' ? pg.escapeIdentifier(value) : pg.escapeLiteral(value);
    });

import type { ConfigPart, Placed } from "../../core/config-part";
import { documentProblems, keyDocument } from "../../core/document-settings";
import { oneOf, type Problem, unknown } from "../../core/problem";
import { fieldsOf } from "../../core/request-templates";
import { TemplateError } from "../../core/template";
import type { OfKind } from "../../core/traits";
import { fieldProblems, fieldsInStore } from "../issuer/checks";
import { type ApiKeyConfig, apiKeySchema, hostOf, matchOf, requestOf } from "./schema";
import { apiKey } from "./traits";

/** The part of the config that the checks read. */
export interface Checked {
  readonly apiKeys: Readonly<Record<string, Readonly<Partial<Record<"current" | "previous", Supplied | undefined>>>>>;
  readonly adopted: object;
  readonly services: object;
  readonly secrets: readonly (OfKind & { readonly name: string })[];
}

interface Supplied {
  readonly values: object;
}

/** Keys of any issuer in the config. */
export const apiKeyInConfig: ConfigPart<ApiKeyConfig, Checked> = {
  traits: apiKey,
  schema: apiKeySchema,
  ...fieldsInStore,
  addresses: ({ verify }) => [new URL(`http://${hostOf(verify)}`).hostname],
  check: (config, placed) => [
    ...fieldChecks(placed),
    ...templateChecks(placed),
    ...answerChecks(placed),
    ...keyChecks(config, placed),
    ...documentProblems(placed.index, placed.secret, keyDocument(placed.secret.fields)),
  ],
  checksTogether: [nameChecks],
};

const problemAt =
  (index: number) =>
  (path: readonly PropertyKey[], message: string): Problem => ({ path: ["secrets", index, ...path], message });

function fieldChecks(placed: Placed<ApiKeyConfig>): Problem[] {
  const { fields } = placed.secret;
  const twice = fields.filter((field, at) => fields.indexOf(field) !== at);
  return [
    ...twice.map((field) => problemAt(placed.index)(["fields"], `expected each field once, found ${field} twice`)),
    ...fieldProblems(placed),
  ];
}

/** Every field of a request must be known, and at least one must be in it: otherwise every key would work. */
function templateChecks({ index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const problem = problemAt(index);
  const verify = requestOf(secret.verify);
  const problems: Problem[] = [];
  if (verify.json !== undefined && verify.form !== undefined)
    problems.push(problem(["verify", "form"], "expected json or form, found both"));
  if ((verify.json ?? verify.form) !== undefined && verify.method === "GET")
    problems.push(problem(["verify", "request"], "expected another method than GET with a body, such as POST"));
  const host = hostOf(secret.verify);
  if (host.includes("{"))
    problems.push(problem(["verify", "request"], "expected a host without a field: a key must not choose who gets it"));
  else if (host.includes("@"))
    problems.push(problem(["verify", "request"], "expected no user in the address; say it in basicAuth"));
  else if (!URL.canParse(`https://${host}/`))
    problems.push(problem(["verify", "request"], `expected a host, and a port if it needs one, found ${host}`));
  if (verify.basicAuth !== undefined && Object.keys(verify.headers).some((name) => /^authorization$/i.test(name)))
    problems.push(problem(["verify", "basicAuth"], "expected basicAuth or a header Authorization, found both"));
  try {
    const used = fieldsOf(verify, secret.fields);
    const missing = secret.fields.filter((field) => !used.includes(field));
    if (missing.length === 0) return problems;
    const message = `expected every field in the request, found no {${missing[0]}}: a key with a wrong one would seem to work`;
    return [...problems, problem(["verify"], message)];
  } catch (error) {
    if (error instanceof TemplateError) return [...problems, problem(["verify"], error.message)];
    throw error;
  }
}

/** An answer must not say both that a key works and that it has ended. */
function answerChecks({ index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const [expect, revoked] = [matchOf(secret.verify.expect), matchOf(secret.verify.revoked)];
  const shared = expect.status.find((status) => revoked.status.includes(status));
  if (shared === undefined || (expect.json !== undefined && revoked.json !== undefined)) return [];
  const message = `expected a status that expect does not have, or json in both, found ${shared} in both`;
  return [problemAt(index)(["verify", "revoked"], message)];
}

function keyChecks(config: Checked, { index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const { name, dryRun, fields } = secret;
  const problems: Problem[] = [];
  if (!Object.hasOwn(config.apiKeys, name)) {
    const message =
      `expected the key in use, found nothing: \`rotation key add ${name}\`, or \`pulumi config set --secret --path ` +
      `'apiKeys["${name}"].current.values.${fields[0]}'\`, then label`;
    problems.push({ path: ["apiKeys", name], message });
  }
  for (const which of ["current", "previous"] as const) {
    const values = config.apiKeys[name]?.[which]?.values;
    if (values === undefined || sameNames(Object.keys(values), fields)) continue;
    const message = `expected the fields of the secret (${fields.join(", ")}), found ${Object.keys(values).join(", ") || "none"}`;
    problems.push({ path: ["apiKeys", name, which, "values"], message });
  }
  if (dryRun !== undefined && !Object.hasOwn(config.services, dryRun.service)) {
    const message = unknown(dryRun.service, "services", config.services);
    problems.push(problemAt(index)(["dryRun", "service"], message));
  }
  if (Object.hasOwn(config.adopted, name)) {
    problems.push({ path: ["adopted", name], message: "expected nothing, since its keys are in apiKeys" });
  }
  return problems;
}

const sameNames = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((name) => others.includes(name));

/** Keys that belong to no secret. */
function nameChecks({ secrets, apiKeys }: Checked): Problem[] {
  const names = secrets.filter(({ kind }) => kind === "api-key").map(({ name }) => name);
  const strange = Object.keys(apiKeys).filter((name) => !names.includes(name));
  return strange.map((name) => ({
    path: ["apiKeys", name],
    message: `expected the name of a secret of kind api-key (${oneOf(names)}), found another`,
  }));
}

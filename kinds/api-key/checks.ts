import type { ConfigPart, Placed } from "../../core/config-part";
import { documentProblems, keyDocument } from "../../core/document-settings";
import { oneOf, type Problem, unknown } from "../../core/problem";
import { fieldsOf } from "../../core/request-templates";
import { TemplateError } from "../../core/template";
import type { OfKind } from "../../core/traits";
import { fieldProblems, fieldsInStore } from "../issuer/checks";
import { type ApiKeyConfig, apiKeySchema, hostOf, matchOf, type RequestConfig, requestOf } from "./schema";
import { apiKey } from "./traits";

/** The part of the config that the checks read. */
export interface Checked {
  readonly apiKeys: Readonly<Record<string, Readonly<Partial<Record<"current" | "previous", Supplied | undefined>>>>>;
  readonly adopted: Readonly<Record<string, string>>;
  readonly services: object;
  readonly secrets: readonly (OfKind & { readonly name: string })[];
}

interface Supplied {
  readonly values: object;
}

/** Keys of any issuer, whoever makes them. */
export const apiKeyParts: Pick<ConfigPart<ApiKeyConfig, Checked>, "schema" | "paths" | "documents" | "addresses"> = {
  schema: apiKeySchema,
  ...fieldsInStore,
  addresses: ({ verify, issue, revoke }) =>
    [verify, issue, revoke].flatMap((part) =>
      part?.request === undefined ? [] : [new URL(`http://${hostOf({ request: part.request })}`).hostname],
    ),
};

/** Keys that the operator supplies. */
export const apiKeyInConfig: ConfigPart<ApiKeyConfig, Checked> = {
  ...apiKeyParts,
  traits: apiKey,
  check: (config, placed) => [...apiKeyChecks(config, placed), ...suppliedChecks(config, placed)],
  checksTogether: [nameChecks],
};

/** What is checked of each key, whoever makes it. */
export const apiKeyChecks = (config: Checked, placed: Placed<ApiKeyConfig>): Problem[] => [
  ...fieldChecks(placed),
  ...verifyChecks(placed),
  ...dryRunChecks(config, placed),
  ...documentProblems(placed.index, placed.secret, keyDocument(placed.secret.fields)),
];

/** Says of a secret what is wrong at a path below it. */
export type ProblemAt = (path: readonly PropertyKey[], message: string) => Problem;

export const problemAt =
  (index: number): ProblemAt =>
  (path, message) => ({ path: ["secrets", index, ...path], message });

function fieldChecks(placed: Placed<ApiKeyConfig>): Problem[] {
  const { fields } = placed.secret;
  const twice = fields.filter((field, at) => fields.indexOf(field) !== at);
  return [
    ...twice.map((field) => problemAt(placed.index)(["fields"], `expected each field once, found ${field} twice`)),
    ...fieldProblems(placed),
  ];
}

/** Every field must be in the request: otherwise a key with a wrong one would seem to work. */
function verifyChecks({ index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const { verify, fields } = secret;
  const problem = problemAt(index);
  const { problems, used } = requestProblems(problem, "verify", verify, fields);
  const missing = used && fields.filter((field) => !used.includes(field));
  if (missing?.[0] !== undefined) {
    const message = `expected every field in the request, found no {${missing[0]}}: a key with a wrong one would seem to work`;
    problems.push(problem(["verify"], message));
  }
  const [expect, revoked] = [matchOf(verify.expect), matchOf(verify.revoked)];
  const shared = expect.status.find((status) => revoked.status.includes(status));
  if (shared !== undefined && (expect.json === undefined || revoked.json === undefined)) {
    const message = `expected a status that expect does not have, or json in both, found ${shared} in both`;
    problems.push(problem(["verify", "revoked"], message));
  }
  return problems;
}

function suppliedChecks(config: Checked, { index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const { name, fields } = secret;
  const problems: Problem[] = (["revoke", "variables"] as const)
    .filter((key) => secret[key] !== undefined)
    .map((key) => problemAt(index)([key], "expected only with `issue`: a key that you supply is ended by you"));
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
  if (Object.hasOwn(config.adopted, name)) {
    problems.push({ path: ["adopted", name], message: "expected nothing, since its keys are in apiKeys" });
  }
  return problems;
}

const sameNames = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((name) => others.includes(name));

function dryRunChecks({ services }: Checked, { index, secret: { dryRun } }: Placed<ApiKeyConfig>): Problem[] {
  if (dryRun === undefined || Object.hasOwn(services, dryRun.service)) return [];
  return [problemAt(index)(["dryRun", "service"], unknown(dryRun.service, "services", services))];
}

/** Keys that belong to no secret, or to one whose keys the operator does not supply. */
function nameChecks({ secrets, apiKeys }: Checked): Problem[] {
  const all = secrets.filter(({ kind }) => kind === "api-key");
  const supplied = all.filter(({ issue }) => issue === undefined).map(({ name }) => name);
  const strange = Object.keys(apiKeys).filter((name) => !supplied.includes(name));
  return strange.map((name) => ({
    path: ["apiKeys", name],
    message: all.some((secret) => secret.name === name)
      ? "expected nothing, since `issue` makes its keys; the values in use belong in `adopted`"
      : `expected the name of a secret of kind api-key (${oneOf(supplied)}), found another`,
  }));
}

/** What is wrong with a request of the config, and the names in its braces; undefined if these are wrong too. */
export function requestProblems(
  problem: ProblemAt,
  at: "verify" | "issue" | "revoke",
  config: RequestConfig,
  known: readonly string[],
): { readonly problems: Problem[]; readonly used: readonly string[] | undefined } {
  const request = requestOf(config);
  const host = hostOf(config);
  const problems: Problem[] = [];
  if (request.json !== undefined && request.form !== undefined)
    problems.push(problem([at, "form"], "expected json or form, found both"));
  if ((request.json ?? request.form) !== undefined && request.method === "GET")
    problems.push(problem([at, "request"], "expected another method than GET with a body, such as POST"));
  if (host.includes("{"))
    problems.push(problem([at, "request"], "expected a host without a field: a key must not choose who gets it"));
  else if (host.includes("@"))
    problems.push(problem([at, "request"], "expected no user in the address; say it in basicAuth"));
  else if (!URL.canParse(`https://${host}/`))
    problems.push(problem([at, "request"], `expected a host, and a port if it needs one, found ${host}`));
  if (request.basicAuth !== undefined && Object.keys(request.headers).some((name) => /^authorization$/i.test(name)))
    problems.push(problem([at, "basicAuth"], "expected basicAuth or a header Authorization, found both"));
  try {
    return { problems, used: fieldsOf(request, known) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { problems: [...problems, problem([at], error.message)], used: undefined };
  }
}

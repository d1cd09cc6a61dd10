import type { ConfigPart, Placed } from "../../../core/config-part";
import { oneOf, type Problem } from "../../../core/problem";
import { adoptedProblems } from "../../issued-key/checks";
import { apiKeyChecks, apiKeyParts, type Checked, type ProblemAt, problemAt, requestProblems } from "../checks";
import { type ApiKeyConfig, keptOf } from "../schema";
import { issuedApiKey } from "./traits";

/** Keys that their issuer makes at this pipeline's request. */
export const issuedApiKeyInConfig: ConfigPart<ApiKeyConfig, Checked> = {
  ...apiKeyParts,
  traits: issuedApiKey,
  check: (config, placed) => [
    ...apiKeyChecks(config, placed),
    ...variableChecks(placed),
    ...issuerChecks(placed),
    ...adoptedProblems(config, placed, [...placed.secret.fields, ...keptOf(placed.secret)]),
  ],
  checksTogether: [],
};

/** A name in braces must mean one thing. */
function variableChecks({ index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const others = ["id", ...valuesOf(secret)];
  return Object.keys(secret.variables ?? {})
    .filter((name) => others.includes(name))
    .map((name) =>
      problemAt(index)(["variables", name], "expected a name that is no field, no other value and not id"),
    );
}

/** The names of a key's values. */
const valuesOf = (secret: ApiKeyConfig): string[] => [...secret.fields, ...keptOf(secret)];

function issuerChecks({ index, secret }: Placed<ApiKeyConfig>): Problem[] {
  const { issue, revoke, variables = {} } = secret;
  const problem = problemAt(index);
  if (issue === undefined) return [];
  if (revoke === undefined) {
    const message = "expected how a key ends, since `issue` makes them and one that is left stays valid, found nothing";
    return [problem(["revoke"], message)];
  }
  const known = ["id", ...Object.keys(variables)];
  const making = partOf(problem, "issue", issue, known);
  const ending = partOf(problem, "revoke", revoke, [...new Set([...known, ...valuesOf(secret)])]);
  return [
    ...making.problems,
    ...ending.problems,
    ...placeChecks(problem, secret),
    ...endChecks(problem, secret, ending.used),
    ...takenChecks(problem, secret, making.used, ending.used),
  ];
}

/** The keys of a request alone. */
const OF_REQUESTS = ["basicAuth", "json", "form", "values", "taken"] as const;

type Part = NonNullable<ApiKeyConfig["issue"]> | NonNullable<ApiKeyConfig["revoke"]>;

/** What is wrong with a request or a command, and the names in the braces of a request. */
function partOf(
  problem: ProblemAt,
  at: "issue" | "revoke",
  part: Part,
  known: readonly string[],
): ReturnType<typeof requestProblems> {
  const { request, command } = part;
  const wrong = (...problems: Problem[]) => ({ problems, used: undefined });
  if (request !== undefined)
    return command === undefined
      ? requestProblems(problem, at, { ...part, request }, known)
      : wrong(problem([at, "command"], "expected request or command, found both"));
  if (command === undefined) return wrong(problem([at], "expected request or command, found neither"));
  const settings: Readonly<Record<string, unknown>> = part;
  const more = [
    ...OF_REQUESTS.filter((key) => settings[key] !== undefined),
    ...(Object.keys(part.headers).length === 0 ? [] : ["headers"]),
  ];
  return wrong(...more.map((key) => problem([at, key], "expected only with request")));
}

/** An answer must have each field somewhere. */
function placeChecks(problem: ProblemAt, { issue, fields }: ApiKeyConfig): Problem[] {
  const missing = fields.filter((field) => issue?.values?.[field] === undefined);
  if (issue?.request === undefined || missing.length === 0) return [];
  const message = `expected where the answer has each field, found none for ${missing.join(", ")}, such as { ${missing[0]}: $.data.${missing[0]} }`;
  return [problem(["issue", "values"], message)];
}

/** A request must say which key it ends. */
function endChecks(problem: ProblemAt, secret: ApiKeyConfig, used: readonly string[] | undefined): Problem[] {
  const named = [...new Set(["id", ...valuesOf(secret)])];
  if (used === undefined || used.some((name) => named.includes(name))) return [];
  const message = `expected what names the key in the request (${oneOf(named.map((name) => `{${name}}`))}), found none of it`;
  return [problem(["revoke"], message)];
}

/** A key of which nothing but its id is known must be found by it. */
function takenChecks(
  problem: ProblemAt,
  secret: ApiKeyConfig,
  making: readonly string[] = [],
  ending: readonly string[] | undefined,
): Problem[] {
  if (secret.issue?.taken === undefined || secret.issue.request === undefined) return [];
  const at = ["issue", "taken"];
  if (!making.includes("id"))
    return [problem(at, "expected {id} in the request of `issue`, which names the key, found none")];
  const value = ending?.find((name) => valuesOf(secret).includes(name));
  if (ending !== undefined && value === undefined) return [];
  const found = value === undefined ? "a command" : `{${value}}, which is not known of a key that is left`;
  return [problem(at, `expected a request in \`revoke\` that names a key by {id} alone, found ${found}`)];
}

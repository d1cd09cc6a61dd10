import type { CommandsReference } from "../../custom/issuer";
import type { IssuedKind } from "../../issued-key/issued-kind";
import { verifyRequest } from "../reference";
import { type IssuedApiKeyConfig, keptOf, matchOf, requestOf } from "../schema";

/** Keys that their issuer makes and ends by the config's requests or commands. */
export const issuedApiKeys: IssuedKind<IssuedApiKeyConfig> = {
  referenceOf(secret) {
    const { issue, revoke, variables } = secret;
    const requests = {
      verify: verifyRequest(secret),
      ...(variables === undefined ? {} : { variables }),
      ...(issue.request === undefined ? {} : { issue: issueRequest({ ...issue, request: issue.request }) }),
      ...(revoke.request === undefined ? {} : { revoke: revokeRequest({ ...revoke, request: revoke.request }) }),
    };
    const commands = {
      ...(issue.command === undefined ? {} : { issue: commandOf(secret, "issue", issue) }),
      ...(revoke.command === undefined ? {} : { revoke: commandOf(secret, "revoke", revoke) }),
    };
    return { requests, ...(Object.keys(commands).length === 0 ? {} : { commands }) };
  },
  kept: keptOf,
  waits: ({ verify, revoke }) => ({ works: verify.activationWait, refused: revoke.wait }),
};

type Issue = IssuedApiKeyConfig["issue"] & { readonly request: string };
type Revoke = IssuedApiKeyConfig["revoke"] & { readonly request: string };

const issueRequest = ({ expect, values = {}, taken, ...request }: Issue) => ({
  ...requestOf(request),
  ...{ expect: matchOf(expect), values },
  ...(taken === undefined ? {} : { taken: matchOf(taken) }),
});

const revokeRequest = ({ expect, gone, ...request }: Revoke) => ({
  ...requestOf(request),
  ...{ expect: matchOf(expect), gone: matchOf(gone) },
});

const commandOf = (
  { name: secretName, fields, variables = {} }: IssuedApiKeyConfig,
  action: "issue" | "revoke",
  { command, timeout }: { readonly command?: string | undefined; readonly timeout: number },
): CommandsReference => ({
  ...{ secretName, fields, timeout, commands: { [action]: command } },
  variables: Object.values(variables),
});

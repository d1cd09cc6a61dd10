import type { ConfigPart, Placed } from "../../core/config-part";
import { documentPath, documentProblems, documentShape, hasDocument, hasValues } from "../../core/document-settings";
import { passwordRuleProblems } from "../../core/password-rule-schema";
import type { Problem } from "../../core/problem";
import type { OfKind } from "../../core/traits";
import { placeOf, type RedisPasswordConfig, redisDocument, redisPasswordSchema } from "./schema";
import { redisPassword } from "./traits";

/** The part of the config that the checks read. */
export interface Checked {
  readonly secrets: readonly OfKind[];
}

/** A Redis password in the config. */
export const redisPasswordInConfig: ConfigPart<RedisPasswordConfig, Checked> = {
  traits: redisPassword,
  schema: redisPasswordSchema,
  paths: (secret) => [
    ...(hasDocument(secret) ? [{ path: documentPath(secret), setBy: "path" }] : []),
    ...(hasValues(secret) ? [{ path: secret.name, setBy: "name" }] : []),
  ],
  documents: (secret) => {
    const shape = documentShape(secret, redisDocument(secret));
    return shape === undefined ? [] : [shape];
  },
  addresses: ({ nodes, sentinel }) => [...nodes, ...(sentinel?.nodes ?? [])].map((node) => placeOf(node).host),
  check: (_config, placed) => [
    ...nodeChecks(placed),
    ...userChecks(placed),
    ...tlsChecks(placed),
    ...sentinelChecks(placed),
    ...passwordRuleProblems(placed.index, placed.secret.passwordRule),
    ...documentProblems(placed.index, placed.secret, redisDocument(placed.secret)),
  ],
  checksTogether: [sharedUserChecks],
};

function nodeChecks({ index, secret: { nodes } }: Placed<RedisPasswordConfig>): Problem[] {
  return nodes.flatMap((node, at): Problem[] => {
    const first = nodes.indexOf(node);
    const message = `expected each server once, found ${node}, which nodes[${first}] names`;
    return first === at ? [] : [{ path: ["secrets", index, "nodes", at], message }];
  });
}

/** The pipeline would lock itself out: it keeps the password of its environment. */
function userChecks({ index, secret: { user, admin } }: Placed<RedisPasswordConfig>): Problem[] {
  if (user !== admin) return [];
  const message = `expected another user than the one that is rotated, found ${user}: name an ACL user of the pipeline's own`;
  return [{ path: ["secrets", index, "admin"], message }];
}

function tlsChecks({ index, secret: { tls } }: Placed<RedisPasswordConfig>): Problem[] {
  const at = (key: string, message: string): Problem => ({ path: ["secrets", index, "tls", key], message });
  if ((tls.cert === undefined) !== (tls.key === undefined))
    return [at("key", "expected cert and key together, found one of them")];
  const [unused] = (["ca", "cert"] as const).filter((key) => tls[key] !== undefined);
  return tls.mode === "disable" && unused !== undefined
    ? [at("mode", `expected verify-full or verify-ca with ${unused}, found disable`)]
    : [];
}

function sentinelChecks({ index, secret: { sentinel } }: Placed<RedisPasswordConfig>): Problem[] {
  if ((sentinel?.user === undefined) === (sentinel?.variable === undefined)) return [];
  const message = "expected user and variable together, found one of them";
  return [{ path: ["secrets", index, "sentinel", "variable"], message }];
}

/** Two secrets of one user would take its passwords for those of others. */
function sharedUserChecks({ secrets }: Checked): Problem[] {
  const seen = new Map<string, number>();
  return secrets.flatMap((secret, index): Problem[] => {
    if (secret.kind !== "redis-password") return [];
    const { user, nodes } = secret as RedisPasswordConfig;
    const taken = nodes.map((node) => `${user} on ${node}`).find((key) => seen.has(key));
    for (const node of nodes) if (!seen.has(`${user} on ${node}`)) seen.set(`${user} on ${node}`, index);
    if (taken === undefined) return [];
    const message = `expected a user that no other secret has, found ${taken}, which secrets[${seen.get(taken)}] rotates`;
    return [{ path: ["secrets", index, "user"], message }];
  });
}

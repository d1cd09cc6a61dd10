import * as pulumi from "@pulumi/pulumi";
import { sayPlan } from "../../components/say-plan";
import { assertReadable, shapeBefore } from "../../components/shape-change";
import { type PostgresPasswordConfig, policyOf, traitsOf } from "../../config";
import type { UseSeen } from "../../core/disuse";
import { documentShape } from "../../core/document-settings";
import { type Declare, type DeclaredIn, declaration } from "../kind";
import { PostgresPassword } from "./component";
import { assertRoleExists, seeLeftRoles } from "./left-roles";
import { keptLogin } from "./old-logins";
import { passwordDocument } from "./schema";

/**
 * Declares a password that this pipeline makes.
 *
 * @throws ConfigError in a preview, for a role that does not exist
 */
export async function declarePassword(
  secret: PostgresPasswordConfig,
  { config, platform, before, recorded, now }: DeclaredIn,
  seen: UseSeen,
): Promise<Declare> {
  const isNew = before === undefined;
  assertReadable(secret, documentShape(secret, passwordDocument(secret)), before);
  if (isNew && pulumi.runtime.isDryRun()) await assertRoleExists(secret, platform.audit.stack);
  const left = isNew && traitsOf(secret).overlaps ? await seeLeftRoles(secret) : [];
  const policy = policyOf(config, secret);
  const value = config.adopted[secret.name];
  return (decision, { rolledOut, finished, sharing }) => {
    const { state, action, force } = decision;
    sayPlan(decision);
    const kept = keptLogin(secret, state, seen, policy, now);
    if (kept !== undefined) void pulumi.log.warn(kept.words);
    if (isNew && value === undefined) {
      void pulumi.log.warn(
        `${secret.name}: the value in use is not known, so there is nothing to roll back to until the second rotation. ` +
          `To change that: \`pulumi config set --secret --path 'adopted["${secret.name}"]'\``,
      );
    }
    return declaration(PostgresPassword, {
      config: secret,
      state,
      recorded,
      rolledOut,
      finished,
      sharing,
      acts: action !== undefined,
      force,
      policy,
      platform,
      adopted: value === undefined ? undefined : pulumi.secret(value),
      kept: shapeBefore(before),
      left,
    });
  };
}

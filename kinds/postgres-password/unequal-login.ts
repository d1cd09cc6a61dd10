import { withDatabase } from "../../clients/postgres";
import { type PostgresPasswordConfig, referenceOf } from "../../config";
import { alterations, differingKeys, keyName } from "../../core/login-view";
import type { SecretState } from "../../core/state";
import type { About, Finding, StackView } from "../kind-operations";
import { copyRole } from "./login-copy";
import { mergedView, type RoleNow, readRole } from "./login-view";
import { activeUsername } from "./roles";

/** A setting or a limit that the owner role got since the last rotation: the login in use does not have it yet. */
export async function unequalLogin(
  stack: StackView,
  secret: PostgresPasswordConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { database, role: owner, strategy } = secret;
  const login = activeUsername(strategy, owner, state);
  if (login === owner) return [];
  const [theirs, inUse] = await withDatabase(referenceOf(database), async (client) => [
    await readRole(client, owner),
    await readRole(client, login),
  ]);
  if (theirs === undefined || inUse === undefined) return [];
  const { view, conflicts } = mergedView(theirs, inUse);
  const keys = [...new Set([...differingKeys(inUse.view, view), ...conflicts.map(({ key }) => key)])];
  if (keys.length === 0) return [];
  const sql = alterations(login, inUse.view, view).join("; ");
  const kept =
    conflicts.length === 0 ? "" : `; ${conflicts.map(({ key }) => keyName(key)).join(", ")} stays as ${login} has it`;
  return [
    about({
      cause: `a session of ${login} does not see what ${owner} was given since the last rotation`,
      evidence: keys
        .map((key) => `${keyName(key)} is ${at(theirs, key)} for ${owner} and ${at(inUse, key)} for ${login}`)
        .join("; "),
      command: stack.command(`diagnose ${secret.name} --fix`),
      hint: `${sql === "" ? "" : `runs \`${sql}\`; `}holds for sessions that begin after it${kept}. The next rotation does the same`,
      fix: async () => {
        const changed = await withDatabase(referenceOf(database), (client) =>
          copyRole(client, { owner, from: login, to: login }),
        );
        return `${login} has what ${owner} has: ${changed.map(keyName).join(", ") || "nothing had to change"}${kept}`;
      },
    }),
  ];
}

const at = ({ view }: RoleNow, key: string) => view[key] ?? "the default";

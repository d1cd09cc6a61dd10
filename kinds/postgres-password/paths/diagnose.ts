import { tryLogin } from "../../../clients/postgres";
import type { PostgresPasswordConfig } from "../../../config";
import type { About, Finding, StackView } from "../../kind-operations";
import { refusalOver } from "./prove";
import { relist } from "./relist";
import { databasePathsOf, keptLists, pathName } from "./schema";

/** The server takes the login in use, and a path does not: services behind it fail at their next login. */
export async function pathFindings(
  stack: StackView,
  secret: PostgresPasswordConfig,
  login: { readonly username: string; readonly password: string },
  about: About,
): Promise<Finding[]> {
  const kept = keptLists(secret, stack.config.hosts).map(({ pooler }) => pathName(pooler));
  const tried = databasePathsOf(secret).map(async (path) => ({ path, answer: await tryLogin(path, login) }));
  return (await Promise.all(tried)).flatMap(({ path, answer }) => {
    if (answer.outcome === "works") return [];
    const name = pathName(path);
    const found = { cause: `${name} does not take the login in use`, evidence: refusalOver(path, answer) };
    if (!kept.includes(name)) return [about({ ...found, command: stack.command("validate") })];
    return [
      about({
        ...found,
        command: stack.command(`diagnose ${secret.name} --fix`),
        hint: "writes the login into PgBouncer's user list again, which PgBouncer reads anew",
        fix: async () => `${(await relist(stack.config, secret, login)).join(", ")} has ${login.username}`,
      }),
    ];
  });
}

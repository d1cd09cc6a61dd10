import { tryLogin } from "../../../clients/postgres";
import type { Check } from "../../../components/preflight/preflight";
import { StepError } from "../../../core/errors";
import type { SshKey } from "../../../core/ssh-key";
import { refusalOver } from "../paths/prove";
import { type DatabasePath, pathName } from "../paths/schema";
import { checkList, consoleSettings, type KeptList } from "../paths/userlist";

interface InUse {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Every other path takes the login in use, so that a path that is broken is found before anything is changed. */
export function pathChecks(
  { paths, lists }: { readonly paths: readonly DatabasePath[]; readonly lists: readonly KeptList[] },
  inUse: InUse | undefined,
  privateKey: SshKey,
): Check[] {
  return [
    ...paths.map((path) => ({
      name: `path ${pathName(path)}`,
      needs: ["database"],
      run: () => checkPath(path, inUse),
    })),
    ...lists.map((list) => ({
      name: `user list of ${pathName(list.pooler)}`,
      run: () => checkList(list, privateKey),
    })),
  ];
}

async function checkPath(path: DatabasePath, { username, password }: InUse = {}): Promise<string> {
  const said = path.console === undefined ? "" : `, ${await consoleWords({ ...path, console: path.console })}`;
  if (username === undefined || password === undefined) return `not tried: the login in use is not known${said}`;
  const answer = await tryLogin(path, { username, password });
  if (answer.outcome !== "works") throw new StepError(refusalOver(path, answer));
  return `${answer.evidence}${said}`;
}

async function consoleWords(path: DatabasePath & { readonly console: string }): Promise<string> {
  await consoleSettings(path);
  return `${path.console} commands it`;
}

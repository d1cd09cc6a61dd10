import * as z from "zod";
import { changeFile, checkFile } from "../../../clients/host-file";
import { poolerReference, reload, settingsOf } from "../../../clients/pgbouncer";
import { type RunScript, shellHere } from "../../../clients/shell";
import { hostReference, withHost } from "../../../clients/ssh";
import { StepError } from "../../../core/errors";
import type { SshKey } from "../../../core/ssh-key";
import { changedUserlist, type UserChanges } from "../../../core/userlist";
import { type PoolerPlace, pathName } from "./schema";

/** A user list of PgBouncer that this pipeline keeps, in a step's input. */
export const keptList = z.object({
  pooler: poolerReference,
  file: z.string(),
  sudo: z.boolean(),
  hosts: z.array(hostReference.extend({ name: z.string() })).readonly(),
});

export type KeptList = z.output<typeof keptList>;

/** On each machine that has the file, one after the other. */
async function onEach<T>(
  { hosts }: KeptList,
  privateKey: SshKey,
  use: (run: RunScript, where: string) => Promise<T>,
): Promise<T[]> {
  if (hosts.length === 0) return [await use(shellHere(), "this machine")];
  const answers: T[] = [];
  for (const { name, ...host } of hosts) answers.push(await withHost(name, host, privateKey, (run) => use(run, name)));
  return answers;
}

/**
 * Changes the users of a list where it is, and lets PgBouncer read it, also if nothing had to change: an earlier run may
 * have been interrupted in between.
 *
 * @returns whether anything had to change
 */
export async function changeList(list: KeptList, privateKey: SshKey, changes: UserChanges): Promise<boolean> {
  const change = (text: string) => changedUserlist(text, changes);
  const changed = await onEach(list, privateKey, (run, where) => changeFile(run, where, list, change));
  await reload(list.pooler);
  return changed.some(Boolean);
}

/** The list can be replaced, and is the one that PgBouncer reads. @throws StepError */
export async function checkList(list: KeptList, privateKey: SshKey): Promise<string> {
  const settings = await consoleSettings(list.pooler);
  const read = settings.get("auth_file");
  if (read !== list.file) {
    throw new StepError(
      `PgBouncer on ${pathName(list.pooler)} reads the user list ${read || "(none)"}; expected ${list.file}, as userlist.file says: ` +
        "make them the same",
    );
  }
  const places = await onEach(list, privateKey, async (run, where) => {
    await checkFile(run, where, list);
    return where;
  });
  return `${list.file} on ${places.join(", ")}`;
}

/** @throws StepError unless the console takes commands of its user */
export async function consoleSettings(pooler: PoolerPlace): Promise<ReadonlyMap<string, string>> {
  const settings = await settingsOf(pooler);
  const admins = (settings.get("admin_users") ?? "").split(",").map((user) => user.trim());
  if (admins.includes(pooler.console)) return settings;
  throw new StepError(
    `${pooler.console} may not command PgBouncer on ${pathName(pooler)}: expected it in admin_users, found ` +
      `${admins.join(", ") || "none"}`,
  );
}

import type pg from "pg";
import { withDatabase, withSession } from "../../../clients/postgres";
import { messageOf } from "../../../core/errors";
import { differingKeys, keyName, settingOf } from "../../../core/login-view";
import { differencesOf, type Expected, type RehearsalRow, type SessionView } from "../../../core/rehearsal";
import { mergedView, type RoleNow, readRole } from "../login-view";
import { PRIMARY } from "../paths/schema";
import type { Rehearsal } from "./input";
import { type Enter, lookAround, objectRights } from "./session-view";
import { type Failure, failureOf, type Way, waysOf } from "./ways";

/** The result of one comparison. */
export interface Compared {
  readonly differs: boolean;
  readonly words: string;
}

interface Roles {
  readonly owner: RoleNow;
  readonly old: RoleNow | undefined;
  readonly next: RoleNow;
}

const NOT_COMPARED = "not compared";

/** Named of many. */
const NAMED = 4;

/** Compares a session of the new login with one of the login in use, once for each way on which they could differ. */
export class Comparison {
  private readonly done = new Map<string, Promise<Compared>>();
  private readonly waited = new Set<string>();
  private roles: Promise<Roles> | undefined;

  constructor(private readonly given: Rehearsal) {}

  /** Whether a role that logs in may have few connections: then one session at a time must do. */
  async isLimited(): Promise<boolean> {
    try {
      const { next, old } = await this.seenRoles();
      return [next, old].some((role) => role?.view["connection limit"] !== undefined);
    } catch {
      return true;
    }
  }

  /** What no reader has seen: the comparison itself, if none goes to the server, and what the server keeps of the login. */
  async rows(): Promise<RehearsalRow[]> {
    if (this.given.old === undefined) return [];
    const row = { path: PRIMARY, login: "", store: "" };
    try {
      const problems = catalogProblems(await this.seenRoles());
      const kept: RehearsalRow[] =
        problems.length === 0
          ? []
          : [{ ...row, reader: "every reader", verdict: "differs", rights: problems.join("; ") }];
      if ([...this.done.keys()].some((key) => key.startsWith(`["${PRIMARY}"`))) return kept;
      const [way] = waysOf(this.given, { services: [], paths: [PRIMARY] }, undefined);
      if (way === undefined) return kept;
      const { differs, words: rights } = await this.over(way, (who, use) => withSession(way.config(who), use));
      return [...kept, { ...row, reader: "this run", verdict: differs ? "differs" : "ok", rights }];
    } catch (error) {
      return [{ ...row, reader: "this run", verdict: "unseen", rights: messageOf(error) }];
    }
  }

  /** How long a new login may take over a way, in milliseconds. What one reader has waited, no other does. */
  patience({ name, limit }: Way, least: number): number {
    const isNew = !this.waited.has(name);
    this.waited.add(name);
    return isNew ? Math.max(limit, least) : least;
  }

  /** @param enter a session from where the reader is */
  over(way: Way, enter: Enter): Promise<Compared> {
    const { old } = this.given;
    if (old === undefined) return Promise.resolve({ differs: false, words: "" });
    const found = this.done.get(way.key) ?? this.compared(way, enter);
    this.done.set(way.key, found);
    return found;
  }

  private async compared(way: Way, enter: Enter): Promise<Compared> {
    const compared = await this.twice(way, enter);
    // Another reader may see more.
    if (compared.words.startsWith(NOT_COMPARED)) this.done.delete(way.key);
    return compared;
  }

  private async twice(way: Way, enter: Enter): Promise<Compared> {
    const first = await this.attempt(way, enter);
    // What changed between the two sessions is no difference: seen twice, it is one.
    return first.differs ? this.attempt(way, enter) : first;
  }

  private async attempt(way: Way, enter: Enter): Promise<Compared> {
    const { login, old } = this.given;
    if (old === undefined) return { differs: false, words: "" };
    try {
      const before = await this.view(way, enter, old);
      if ("words" in before) return { differs: false, words: `${NOT_COMPARED}: ${old.username}: ${before.words}` };
      const next = await this.view(way, enter, login);
      // A service may have taken the last connection.
      if ("words" in next)
        return {
          differs: !next.isBusy,
          words: `${next.isBusy ? `${NOT_COMPARED}: ` : ""}${login.username}: ${next.words}`,
        };
      const found = differencesOf(before, next, expectedOf(await this.seenRoles(), old.username));
      const named: string[] = [];
      // One session at a time.
      for (const text of found) named.push(...(await this.detailed(text, enter)));
      const more = named.length > NAMED ? [`and ${named.length - NAMED} more`] : [];
      if (named.length > 0)
        return { differs: true, words: `unlike ${old.username}: ${[...named.slice(0, NAMED), ...more].join("; ")}` };
      return { differs: false, words: way.pooler ? wordsOf(next) : `as ${old.username}: ${wordsOf(next)}` };
    } catch (error) {
      return { differs: true, words: messageOf(error) };
    }
  }

  private view(way: Pick<Way, "pooler">, enter: Enter, login: Rehearsal["login"]): Promise<SessionView | Failure> {
    return enter(login, (client) => lookAround(client, way.pooler)).catch(failureOf);
  }

  /** Names the objects of a schema in which two logins have other rights; nothing if some have only come or gone. */
  private async detailed(text: string, enter: Enter): Promise<string[]> {
    const [, schema] = /^other rights in the schema (.*)$/s.exec(text) ?? [];
    const { old, login } = this.given;
    if (schema === undefined || old === undefined) return [text];
    const before = await enter(old, (client) => objectRights(client, schema));
    const next = await enter(login, (client) => objectRights(client, schema));
    const names = Object.keys(before).filter((name) => name in next && before[name] !== next[name]);
    const told = names.slice(0, NAMED).map((name) => `${name} ${next[name]}, was ${before[name]}`);
    return told.length === 0 ? [] : [`${text} (${told.join(", ")})`];
  }

  /** Read with either login: no privilege is needed. */
  private seenRoles(): Promise<Roles> {
    const { login, old } = this.given;
    this.roles ??= this.readRoles(login).catch((error) => {
      if (old === undefined) throw error;
      return this.readRoles(old);
    });
    return this.roles;
  }

  private readRoles({ username: user, password }: Rehearsal["login"]): Promise<Roles> {
    const { database, login, old, owner } = this.given;
    const read = async (client: pg.Client) => {
      const [theirs, next] = [await readRole(client, owner), await readRole(client, login.username)];
      if (theirs === undefined || next === undefined) throw new Error(`the role ${owner} does not exist`);
      return { owner: theirs, next, old: old && (await readRole(client, old.username)) };
    };
    return withDatabase({ ...database, user }, read, password);
  }
}

/** What the copy has made must be there: the login in use's view, with what was changed on the owner since. */
function catalogProblems({ owner, old, next }: Roles): string[] {
  if (old === undefined || next.name === owner.name) return [];
  const { view } = mergedView(owner, old);
  const acting = owner.acting ?? owner.name;
  return [
    ...differingKeys(view, next.view).map(
      (key) =>
        `${keyName(key)} is ${next.view[key] ?? "the default"} for ${next.name}, expected ${view[key] ?? "the default"}`,
    ),
    ...(next.acting === acting ? [] : [`${next.name} acts as ${next.acting ?? "itself"}, expected ${acting}`]),
  ];
}

function expectedOf({ owner, old, next }: Roles, inUse: string): Expected {
  const names = { owner: owner.name, old: inUse, next: next.name };
  const changed =
    old === undefined || next.name === owner.name ? [] : differingKeys(mergedView(owner, old).view, old.view);
  return { settings: new Set(changed.flatMap((key) => settingOf(key)?.name ?? [])), ...names };
}

const wordsOf = ({ session, settings, roles, rights }: SessionView): string =>
  [
    ...(settings === undefined ? [`the server knows it as ${session}`] : [`${Object.keys(settings).length} settings`]),
    ...(roles === undefined ? [] : [`${roles.length} roles`]),
    ...(rights === undefined ? [] : [`rights in ${Object.keys(rights).length - 1} schemas`]),
  ].join(", ");

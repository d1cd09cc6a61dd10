import { sameText, scalarAt } from "../../core/document";
import { jsonMembers } from "../../core/json-members";
import { rendered } from "../../core/template";
import type { Recognised } from "../kind-operations";

const PASSWORD = /^((db|database|pg|postgres)[_-]?)?(pass(word|wd)?|pwd|pw)$/i;
const USERNAME = /^((db|database|pg|postgres)[_-]?)?(user(_?name)?|login|role)$/i;

/** `scheme://user:password@rest`, or the query of a JDBC address. */
const URL_LOGIN = /^([a-z][a-z0-9+.:-]*:\/\/)([^:@/?#]+):([^@/?#]+)@(.*)$/is;

interface Member {
  readonly key: string;
  readonly text: string;
}

/**
 * Finds the credential in a JSON document that others made, by the names of its keys and by its addresses.
 *
 * @param role the platform's own role
 * @returns the password, and what the config says for this shape; undefined if there is no password, or more than one
 */
export function recognisePassword(document: string, role: string): Recognised | undefined {
  const members = [...jsonMembers(document).keys()].flatMap((key): Member[] => {
    const value = scalarAt(document, key);
    return typeof value === "string" ? [{ key, text: value }] : [];
  });
  const found = new Set([
    ...members.flatMap(({ key, text }) => (PASSWORD.test(key) ? [text] : [])),
    ...members.flatMap(({ text }) => passwordIn(text) ?? []),
  ]);
  const [password] = found;
  if (password === undefined || password === "" || found.size > 1) return undefined;
  const templates = members.flatMap(({ key, text }) => {
    const template = templateOf({ key, text }, role, password);
    return template === undefined ? [] : [[key, template] as const];
  });
  return { value: password, config: configOf(templates), unclear: unclearKeys(members, templates, password) };
}

function passwordIn(text: string): string | undefined {
  const encoded = URL_LOGIN.exec(text)?.[3];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function templateOf({ key, text }: Member, role: string, password: string): string | undefined {
  if (text === password) return "{password}";
  if (text === role && USERNAME.test(key)) return "{username}";
  const [, scheme, , , rest] = URL_LOGIN.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  const template = `${scheme}{username}:{password}@${rest.replace(/[{}]/g, "$&$&")}`;
  return sameText(String(rendered(template, { username: role, password })), text) ? template : undefined;
}

/** Keys that contain the password in a way that no template writes: they would keep the old one. */
const unclearKeys = (
  members: readonly Member[],
  templates: readonly (readonly [string, string])[],
  password: string,
): string[] =>
  members
    .filter(({ key, text }) => text.includes(password) && !templates.some(([name]) => name === key))
    .map(({ key }) => key);

/** The first key of each part gets its name; all others are extras. */
function configOf(templates: readonly (readonly [string, string])[]): Recognised["config"] {
  const first = (part: string) => templates.find(([, template]) => template === `{${part}}`)?.[0];
  const [username, password] = [first("username"), first("password")];
  const extras = templates.filter(([key]) => key !== username && key !== password);
  return {
    format: "json",
    keys: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    },
    ...(extras.length === 0 ? {} : { extras: Object.fromEntries(extras) }),
  };
}

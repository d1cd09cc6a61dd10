import type { Duplex } from "node:stream";
import { doubling, poll } from "../../../clients/poll";
import { withSession } from "../../../clients/postgres";
import type { RehearsalRow, Verdict } from "../../../core/rehearsal";
import type { Comparison } from "./compare";
import type { Rehearsal, RehearsedLogin } from "./input";
import type { Enter } from "./session-view";
import { type Failure, failureOf, type Way } from "./ways";

/** Milliseconds until a connection is free, if the server has none left for the login. */
const PATIENCE = 5000;

/** One reader over one of its ways: the new login gets in, and sees what the login in use sees. */
export async function overWay(
  way: Way,
  dial: ((way: Way) => Promise<Duplex>) | undefined,
  { login, old, isInUse = false }: Rehearsal,
  comparison: Comparison,
): Promise<Omit<RehearsalRow, "reader">> {
  const enter: Enter = (who, use) =>
    withSession({ ...way.config(who), ...(dial === undefined ? {} : { dial: () => dial(way) }) }, use);
  const row = (verdict: Verdict, loginWords: string, rights = "") => ({
    ...{ path: way.name, verdict, login: loginWords, rights, store: "" },
  });
  const address = (who: RehearsedLogin) =>
    enter(who, async (client) => {
      const { rows } = await client.query("SELECT host(inet_client_addr()) AS address");
      return { from: way.pooler ? "the pooler" : String(rows[0]?.address ?? "a socket") };
    }).catch(failureOf);

  const tried = await address(login);
  if ("from" in tried) {
    const rights = await comparison.over(way, enter);
    return row(rights.differs ? "differs" : "ok", `${login.username} logs in from ${tried.from}`, rights.words);
  }
  if (tried.why === "unseen") return row("unseen", tried.words);
  const before = old === undefined ? undefined : await address(old);
  if (before !== undefined && "from" in before) {
    // The login in use gets in: the new one must, in the time that the path may take.
    const again = await poll(
      () => address(login),
      (answer) => "from" in answer,
      {
        limit: comparison.patience(way, tried.isBusy ? PATIENCE : 0),
        every: (_, asked) => doubling(100, 2000, asked),
      },
    );
    if ("from" in again) return row("ok", `${login.username} logs in from ${again.from}`, "not compared");
    // Services have as many connections as before: the server keeps the same limit for both logins.
    const verdict = again.isBusy ? "unseen" : "differs";
    return row(verdict, `${login.username} cannot log in: ${again.words}; ${old?.username} can`);
  }
  if (tried.isBusy) return row("unseen", `${login.username} cannot log in: ${tried.words}`);
  const both = before === undefined ? "" : `; neither can ${old?.username}`;
  return row(
    isNoWay(way, tried, isInUse ? tried : before) ? "no way" : "differs",
    `${login.username} cannot log in: ${tried.words}${both}`,
  );
}

/**
 * The path is none of this reader's: the config does not name it, and the login in use, with which services work, gets no
 * further from there.
 */
const isNoWay = ({ named }: Way, { why }: Failure, before: Failure | undefined): boolean =>
  !named && (before === undefined ? why !== "refused" : before.why === why);

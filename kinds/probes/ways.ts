import { AlpacaUnavailableError, askAccount } from "../../clients/alpaca";
import { isRefusal, PROBE_APPLICATION, withSession } from "../../clients/postgres";
import { ForwardError, UnreachableError } from "../../clients/ssh";
import { codeOf, messageOf } from "../../core/errors";
import type { Ending } from "../../core/probes";
import { readerName } from "../own-password/readers";
import { dialOf, type Standpoint, trustOf } from "../postgres-password/rehearsal/rehearse";
import { type Way, waysOf } from "../postgres-password/rehearsal/ways";
import type { Target } from "./order";
import type { Credential } from "./stored";

/** A way on which a service logs in. */
export interface ProbeWay {
  /** `signal-service on trading-1 over primary` */
  readonly name: string;
  login(credential: Credential): Promise<{ readonly ending: Ending; readonly words?: string }>;
}

/** Milliseconds that a login may take. */
const LIMIT = 5000;

type StandpointOf = (host: (Target & { of: "database" })["places"][number]["host"]) => Promise<Standpoint>;

/** Every way that readers have, and what could not be looked at. */
export async function probeWays(
  target: Target,
  standpointOf: StandpointOf,
): Promise<{ readonly ways: ProbeWay[]; readonly skipped: string[] }> {
  if (target.of === "alpaca") return { ways: [alpacaWay(target.baseUrl)], skipped: [] };
  const { database, paths, places } = target;
  const ways: ProbeWay[] = [];
  const skipped: string[] = [];
  for (const { host, readers } of places) {
    for (const reader of readers) {
      const name = readerName(reader, host?.name);
      try {
        const at = await standpointOf(host);
        const dial = dialOf(reader, at);
        const trust = await trustOf(reader, at);
        for (const way of waysOf({ database, paths }, reader, trust))
          ways.push(databaseWay(`${name} over ${way.name}`, way, dial));
      } catch (error) {
        skipped.push(`${name}: ${messageOf(error)}`);
      }
    }
  }
  // No reader that this program can follow: then this machine's own ways.
  if (places.every(({ readers }) => readers.length === 0))
    ways.push(
      ...waysOf({ database, paths }, { services: [] }, undefined).map((way) =>
        databaseWay(`this machine over ${way.name}`, way, undefined),
      ),
    );
  return { ways, skipped };
}

/** The host's SSH connection is gone: that says nothing about the login. */
class Unseen extends Error {}

function databaseWay(name: string, way: Way, dial: ReturnType<typeof dialOf>): ProbeWay {
  const through =
    dial === undefined
      ? {}
      : {
          dial: () =>
            dial(way).catch((error: unknown) => {
              throw error instanceof ForwardError && !error.isForbidden ? error : new Unseen(messageOf(error));
            }),
        };
  return {
    name,
    login: async ({ username = "", password = "" }) => {
      const config = way.config({ username, password });
      const { application_name: _, ...parameters } = config.parameters ?? {};
      try {
        await withSession(
          {
            ...{ ...config, ...through, parameters, application_name: PROBE_APPLICATION },
            ...{ connectionTimeoutMillis: LIMIT, query_timeout: LIMIT },
          },
          (client) => client.query("SELECT 1"),
        );
        return { ending: "works" };
      } catch (error) {
        return { ending: endingOf(error), words: messageOf(error) };
      }
    },
  };
}

/** PgBouncer before 1.19 says so without a code of its own. */
const REFUSED = /password authentication failed|SASL authentication failed/;

function endingOf(error: unknown): Ending {
  // The server has no connection left: services wait for one too, whatever their credential.
  if (error instanceof Unseen || error instanceof UnreachableError || codeOf(error) === "53300") return "unseen";
  return isRefusal(error) || REFUSED.test(messageOf(error)) ? "refused" : "failed";
}

const alpacaWay = (baseUrl: string): ProbeWay => ({
  name: `this machine to ${new URL(baseUrl).host}`,
  login: async ({ keyId = "", secretKey = "" }) => {
    try {
      const { status } = await askAccount(baseUrl, { keyId, secretKey }, { tries: 1, timeout: LIMIT, limit: LIMIT });
      return status === 200 ? { ending: "works" } : { ending: "refused", words: `Alpaca answers ${status}` };
    } catch (error) {
      const isLimited = error instanceof AlpacaUnavailableError && error.found.startsWith("429");
      return { ending: isLimited ? "unseen" : "failed", words: messageOf(error) };
    }
  },
});

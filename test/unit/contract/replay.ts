import { afterAll, beforeAll, expect, test } from "vitest";
import { type OfflinePackage, offlineVersions } from "../../../dev/toolchain/plugins/packages";
import type { Provider } from "../../../dev/toolchain/plugins/provider";
import { type PluginServer, serve } from "../../../dev/toolchain/plugins/server";
import { EngineClient } from "./client";
import { compare, unordered, type Volatile } from "./compare";
import { countRecorded, type Exchange, type Rewrite, recorded, recordedTitles } from "./recording";

/** What a package's recording needs to be replayed. */
export interface Replay {
  package: OfflinePackage;
  provider(): Provider;
  /** Starts what the plugin acts on, and says what stands in for the recorded addresses and secrets. */
  start(): Promise<{ rewrites: Rewrite[]; stop(): Promise<void> }>;
  volatile: Volatile[];
  /** What the plugin does not do, since the program never asks for it. */
  leaves?(exchange: Pick<Exchange, "method" | "request">): boolean;
  /** What happened unrecorded before a step, by the step's name. */
  before?: Record<string, (replayed: Replayed) => Promise<void>>;
}

/** For the preparations: the exchanges, and the engine's side of the plugin. */
export interface Replayed {
  exchanges: Exchange[];
  client: EngineClient;
}

/** One test an exchange, in the recorded order, against one plugin; then that none was left out. */
export function replayRecording(replay: Replay): void {
  let server: PluginServer;
  let live: { rewrites: Rewrite[]; stop(): Promise<void> } | undefined;
  let replayed: Replayed;
  let step = "";
  let count = 0;

  beforeAll(async () => {
    live = await replay.start();
    const name = replay.package;
    server = await serve({ package: name, version: offlineVersions[name], provider: replay.provider() });
    replayed = { exchanges: recorded(name, live.rewrites), client: new EngineClient(server.port) };
  });
  afterAll(async () => {
    replayed?.client.close();
    await server?.close();
    await live?.stop();
  });

  const left = recorded(replay.package, []).filter((exchange) => replay.leaves?.(exchange));
  const titles = recordedTitles(replay.package).filter(([, index]) => !left.some((one) => one.index === index));

  test.each(titles)("%s", async (_title, index) => {
    const exchange = replayed.exchanges[index] as Exchange;
    if (exchange.step !== step) {
      step = exchange.step;
      await replay.before?.[step]?.(replayed);
    }
    const { response, errors } = await replayed.client.ask(exchange);
    count += 1;
    const rules = exchange.method === "Diff" || exchange.method === "Check" ? [] : replay.volatile;
    const [recorded, actual] = [unordered(exchange.response), unordered(response)];
    expect([...compare(exchange.errors, errors, [], "errors"), ...compare(recorded, actual, rules)]).toEqual([]);
  });

  test("every recorded exchange was replayed, but for those that are left", () => {
    expect(count).toBe(countRecorded(replay.package) - left.length);
  });
}

/** Does again, without comparing, what a step did: the recorder did so between steps. */
export async function again({ exchanges, client }: Replayed, step: string, method: string): Promise<void> {
  for (const exchange of exchanges.filter((item) => item.step === step && item.method === method)) {
    const { errors } = await client.ask(exchange);
    expect(errors, `${step}: ${method}`).toBeUndefined();
  }
}

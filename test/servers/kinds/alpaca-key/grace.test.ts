import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AlpacaKeyConfig, Config } from "../../../../config";
import { type Inputs, nextState } from "../../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../../core/policy";
import { type Alpaca, startAlpaca } from "../../../../dev/lab/alpaca";
import type { AlpacaPlaces } from "../../../../kinds/alpaca-key/places";
import { alpacaPairs, alpacaWords, keyOf } from "../../../../kinds/alpaca-key/supplied";
import type { Pair } from "../../../../kinds/alpaca-key/verify";
import { keyNotices, type NoticesArgs } from "../../../../kinds/issuer/notices";
import { type PreviousSeen, seePrevious as seeKey } from "../../../../kinds/issuer/previous-key";

describe("asking with the pair before", () => {
  let alpaca: Alpaca;
  const seePrevious = (config: Config, previous: Pair, active: Pair | undefined, patience: typeof ask) =>
    seeKey(
      alpacaPairs,
      config,
      { name: "alpaca/api_key" } as AlpacaKeyConfig,
      { previous: keyOf(previous), active: active && keyOf(active) },
      patience,
    );
  let places: Config;
  const pair = (label: string): Pair => ({ label, ...alpaca.paper.createKey() });
  const ask = { limit: 3000, timeout: 3000 };
  beforeAll(async () => {
    alpaca = await startAlpaca();
    places = { environment: "paper", alpaca: { baseUrl: alpaca.paper.url } } as unknown as Config;
  });
  afterEach(() => alpaca.paper.setFault(undefined));
  afterAll(() => alpaca?.stop());

  it("sees that it works, and that it is gone", async () => {
    const [before, active] = [pair("a-2026-11-20"), pair("b-2026-12-01")];
    expect(await seePrevious(places, before, active, ask)).toEqual({ previous: "alive" });
    alpaca.paper.deleteKey(before.keyId);
    expect(await seePrevious(places, before, active, ask)).toEqual({ previous: "gone" });
  });

  it("draws no conclusion from a broker that refuses everybody, and none without the pair in use", async () => {
    const [before, active] = [pair("a-2026-11-20"), pair("b-2026-12-01")];
    alpaca.paper.setFault({ status: 401 });
    expect(await seePrevious(places, before, active, ask)).toMatchObject({
      previous: "unknown",
      because: expect.stringContaining("b-2026-12-01, is refused as well (Alpaca answers 401)"),
    });
    expect(await seePrevious(places, before, undefined, ask)).toMatchObject({ previous: "unknown" });
  });

  it.each([{ status: 403 as const }, { status: 500 as const }, { drop: true as const }, { slowMs: 30_000 }])(
    "never throws: %j is unknown, soon",
    async (fault) => {
      const [before, active] = [pair("a-2026-11-20"), pair("b-2026-12-01")];
      alpaca.paper.setFault(fault);
      const begin = performance.now();
      expect(await seePrevious(places, before, active, ask)).toMatchObject({ previous: "unknown" });
      expect(performance.now() - begin).toBeLessThan(30_000);
    },
  );
});

describe("what is said of a key", () => {
  const START = Date.parse("2026-11-23T02:00:00Z");
  const at = (days: number) => new Date(START + days * 86_400_000);
  const inputs = (days: number, more: Partial<Inputs> = {}): Inputs => ({
    now: at(days),
    policy,
    hasAdopted: true,
    ...more,
  });
  const [A, B] = ["paper-2026-11-20", "paper-2026-12-01"];
  const adopted = nextState(undefined, inputs(0, { suppliedKeyLabel: A, adoptedSince: at(-3) }));
  const rotated = nextState(adopted, inputs(8, { suppliedKeyLabel: B }));
  const request = { id: "back", secret: "alpaca/api_key", activate: 0, reason: "x" };
  const back = nextState(rotated, inputs(8.5, { suppliedKeyLabel: B, request }));
  const notices = (more: Partial<NoticesArgs>) =>
    keyNotices({
      secret: "alpaca/api_key",
      state: rotated,
      policy,
      words: alpacaWords({ dashboard: "https://dashboard" } as AlpacaPlaces, "alpaca/api_key"),
      now: at(8.5),
      hasPrevious: true,
      ...more,
    });
  const alive: PreviousSeen = { previous: "alive" };

  it("nothing, while the only pair is young", () => {
    expect(notices({ state: adopted, now: at(1), hasPrevious: false })).toEqual([]);
  });

  it("that a key is due, counted from the date of its label", () => {
    expect(notices({ state: adopted, now: at(85.9), hasPrevious: false })).toEqual([]);
    expect(notices({ state: adopted, now: at(86), hasPrevious: false })).toEqual([
      {
        level: "warning",
        message: expect.stringMatching(
          /paper-2026-11-20 has been due .*https:\/\/dashboard → API Keys → Generate New Key/,
        ),
      },
    ]);
  });

  it("until when the old key must stay", () => {
    expect(notices({ seen: alive })).toEqual([
      {
        level: "info",
        message: `alpaca/api_key: the key ${A} is deprecated; delete it after 2026-12-02T02:00:00.000Z, not before`,
      },
    ]);
  });

  it("that it still works after that, and what to click", () => {
    expect(notices({ now: at(9), seen: alive })).toEqual([
      {
        level: "warning",
        message: expect.stringContaining(
          `still works though its grace period ended 2026-12-02T02:00:00.000Z. Delete it: https://dashboard → API Keys → Delete on ${A}`,
        ),
      },
    ]);
  });

  it("that a key left by a rollback is to be deleted at once", () => {
    expect(notices({ state: back, seen: alive })).toEqual([
      { level: "warning", message: expect.stringContaining(`the key ${B} still works after the rollback. Delete it`) },
    ]);
  });

  it("that nobody knows, as a warning only once it matters", () => {
    const seen: PreviousSeen = { previous: "unknown", because: "503" };
    expect(notices({ seen })).toMatchObject([{ level: "info" }]);
    expect(notices({ seen, now: at(10) })).toMatchObject([
      { level: "warning", message: expect.stringContaining("503") },
    ]);
  });

  it("that a pair left the config too early, and that it may leave", () => {
    expect(notices({ hasPrevious: false })).toMatchObject([
      { level: "warning", message: expect.stringContaining("Put it back") },
    ]);
    const ended = nextState(rotated, inputs(9, { suppliedKeyLabel: B, previousGone: true }));
    expect(notices({ state: ended })).toMatchObject([
      { level: "info", message: expect.stringContaining("may leave the config") },
    ]);
    expect(notices({ state: ended, hasPrevious: false })).toEqual([]);
  });
});

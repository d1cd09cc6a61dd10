import { describe, expect, it } from "vitest";
import { checkExchange, checkWindow } from "../../../../components/preflight/calendar";

const at = (time: string) => new Date(`2026-12-05T${time}:00Z`);
const TAKES = 10 * 60_000;

describe("the window, by the clock of the update", () => {
  const window = { until: "2026-12-05T10:00:00.000Z", now: null };

  it("must be open for as long as a rotation may take", () => {
    expect(checkWindow(window, TAKES, at("09:50"))).toBe("open until 2026-12-05 10:00 UTC");
    expect(() => checkWindow(window, TAKES, at("09:51"))).toThrow(
      "the window closes in 9m, and a rotation may take 10m",
    );
    expect(() => checkWindow(window, TAKES, at("10:30"))).toThrow(
      /^the window closed at 2026-12-05 10:00 UTC; run this again/,
    );
  });

  it("goes by the lab's clock in a lab", () => {
    expect(checkWindow({ ...window, now: "2026-12-05T08:00:00Z" }, TAKES, at("23:00"))).toContain("open until");
  });
});

describe("the market, by the config's hours", () => {
  const closed = { name: "XNYS", isOpen: false, until: "2026-12-05T14:30:00.000Z", now: null };
  const open = { ...closed, isOpen: true };

  it("must be closed, and stay so", () => {
    expect(checkExchange(closed, false, TAKES, at("12:00"))).toBe("closed until 2026-12-05 14:30 UTC");
    expect(checkExchange({ ...closed, until: null }, false, TAKES, at("12:00"))).toBe("closed");
    expect(() => checkExchange(closed, false, TAKES, at("14:25"))).toThrow(
      "XNYS is closed, and opens in 5m, and a rotation may take 10m",
    );
    expect(() => checkExchange(closed, false, TAKES, at("15:00"))).toThrow("XNYS is open since 2026-12-05 14:30 UTC");
    expect(() => checkExchange(open, false, TAKES, at("12:00"))).toThrow("XNYS is open until 2026-12-05 14:30 UTC");
  });

  it("may be open if the config allows it, which goes into the audit row", () => {
    expect(checkExchange(open, true, TAKES, at("12:00"))).toEqual({
      evidence: "XNYS was open until 2026-12-05 14:30 UTC",
      override: "allowOpenMarket: XNYS was open until 2026-12-05 14:30 UTC",
    });
  });
});

import { describe, expect, it } from "vitest";
import { activationsIn } from "../../../core/phases";
import { A, alive, B, both, gone, known, rotated, settings, update } from "./alpaca-updates";
import { inputOf, moved, namedIn } from "./strict-mocks";

describe("AlpacaKey after a rotation", () => {
  it("moves nothing while the old key lives, however late it is", async () => {
    for (const days of [8.5, 40]) {
      const later = await update({ config: both, days, before: known(rotated.state), seen: alive });
      expect(moved(rotated.all, later.all)).toEqual([]);
      expect(later.state).toEqual(rotated.state);
    }
  });

  it("moves the marks and the audit row alone when the old key's end is seen after the grace period", async () => {
    const ended = await update({ config: both, days: 9, before: known(rotated.state), seen: gone });
    expect(moved(rotated.all, ended.all)).toEqual(["alpaca-api_key-store-mark", "alpaca-api_key-audit-row"]);
    expect(inputOf(ended.all, "alpaca-api_key-store-mark").marks[0].says.status).toBe("active");
    expect(inputOf(ended.all, "alpaca-api_key-audit-row").entry).toMatchObject({ action: "REVOKE", generation: 0 });

    // The operator forgets the old pair: nothing that acts has another trigger, and its values are gone.
    const forgotten = await update({ config: settings({ current: B }), days: 10, before: known(ended.state) });
    for (const { name, inputs } of forgotten.all)
      expect(inputs.environment).toEqual(namedIn(ended.all, name)?.environment);
    expect(JSON.stringify(forgotten.all)).not.toContain(A.secretKey);
    expect(moved(ended.all, forgotten.all).filter((name) => /restart|row/.test(name))).toEqual([]);
  });

  it("restarts every reader at once, whatever the market, when the old key ended too early", async () => {
    const early = await update({ config: both, days: 8.5, before: known(rotated.state), seen: gone });
    const restarts = early.all
      .filter(({ name }) => name.includes("-restart-"))
      .map(({ inputs }) => activationsIn(inputs));
    expect(restarts).toEqual([["1, 0 deleted early"], ["1, 0 deleted early"]]);
    expect(inputOf(early.all, "alpaca-api_key-preflight-checks")).toMatchObject({ mode: "repair" });
    expect(inputOf(early.all, "alpaca-api_key-verify-alpaca")).toMatchObject({ purpose: "repair", pair: B });
  });
});

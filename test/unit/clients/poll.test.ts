import { describe, expect, it } from "vitest";
import { doubling, poll, within } from "../../../clients/poll";

describe("poll", () => {
  it("returns the first answer that is enough", async () => {
    expect(
      await poll(
        (number) => number * 10,
        (answer) => answer >= 30,
        { every: 1 },
      ),
    ).toBe(30);
  });

  it("asks once more when time is up, and returns what it was told last", async () => {
    const last = await poll(
      (number) => number,
      () => false,
      { limit: 20, every: 60_000 },
    );
    expect(last).toBe(2);
  });

  it("asks no more where there is no next pause", async () => {
    const asked: number[] = [];
    const last = await poll(
      (number) => asked.push(number),
      () => false,
      { every: (_, number) => (number < 3 ? 1 : undefined) },
    );
    expect([last, asked]).toEqual([3, [1, 2, 3]]);
  });

  it("ends with what a question throws", async () => {
    const broken = poll(
      () => Promise.reject(new Error("broken")),
      () => true,
      { every: 1 },
    );
    await expect(broken).rejects.toThrow("broken");
  });
});

it("pauses double up to the longest", () => {
  expect([1, 2, 3, 4].map((asked) => doubling(250, 1500, asked))).toEqual([250, 500, 1000, 1500]);
});

it("a promise has its time, and no longer", async () => {
  const late = () => new Error("late");
  expect(await within(1000, Promise.resolve("there"), late)).toBe("there");
  await expect(within(1000, Promise.reject(new Error("failed")), late)).rejects.toThrow("failed");
  await expect(within(1, new Promise(() => undefined), late)).rejects.toThrow("late");
});

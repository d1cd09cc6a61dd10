import { describe, expect, it } from "vitest";
import { doubling, poll, retry, within } from "../../../clients/poll";

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

  it("asks no more if there is no next pause", async () => {
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

describe("retry", () => {
  /** Fails with these errors in turn, then succeeds. */
  const attempts = (...errors: readonly string[]) => {
    const left = [...errors];
    const made: number[] = [];
    const attempt = async () => {
      made.push(made.length + 1);
      const error = left.shift();
      if (error !== undefined) throw new Error(error);
      return "there";
    };
    return { attempt, made };
  };
  const passes = (error: unknown) => (error as Error).message.startsWith("busy");

  it("returns the first success", async () => {
    const { attempt, made } = attempts("busy", "busy");
    expect(await retry(attempt, passes, { attempts: 5, pause: 1 })).toBe("there");
    expect(made).toEqual([1, 2, 3]);
  });

  it("ends with the last failure after so many attempts, and at once with one that does not pass", async () => {
    const often = attempts("busy 1", "busy 2", "busy 3");
    await expect(retry(often.attempt, passes, { attempts: 2, pause: 1 })).rejects.toThrow("busy 2");
    expect(often.made).toEqual([1, 2]);
    const wrong = attempts("wrong");
    await expect(retry(wrong.attempt, passes, { attempts: 5, pause: 1 })).rejects.toThrow("wrong");
    expect(wrong.made).toEqual([1]);
  });

  it("a success may be undefined", async () => {
    expect(await retry(async () => undefined, passes, { attempts: 1, pause: 1 })).toBeUndefined();
  });
});

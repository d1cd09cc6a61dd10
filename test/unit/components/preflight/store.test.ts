import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkCurrentValue,
  checkDocuments,
  checkUnchanged,
  overwrittenValues,
} from "../../../../components/preflight/store";
import { StepError } from "../../../../core/errors";
import type { Content } from "../../../../core/store-content";
import type { StoreClient, StoredValue, StoreEntry } from "../../../../stores/store";

const A = "database/password";
const B = "database/username";
const WRITTEN = "2026-11-23T02:00:00Z";

const text = (value: string): Content => ({ kind: "value", value, generation: undefined });
const EMPTY: Content = { kind: "empty", why: "the document is empty" };
const ODD: Content = { kind: "unusable", why: "it has the keys `a`, `b`; expected the key `value`" };

/** A store that holds this, each as version 3. */
function storeWith(held: Readonly<Record<string, Content>>): StoreClient {
  const stored = (content: Content): StoredValue => ({
    value: content.kind === "value" ? content.value : undefined,
    content,
    version: "3",
    writtenAt: WRITTEN,
  });
  const client: Pick<StoreClient, "read" | "advice"> = {
    read: async (path) => (held[path] === undefined ? undefined : stored(held[path])),
    advice: (path) => `look at ${path}`,
  };
  return client as StoreClient;
}

const entries = (...pairs: readonly (readonly [path: string, value: string])[]): StoreEntry[] =>
  pairs.map(([path, value]) => ({ path, value }));

describe("checkDocuments", () => {
  const check = (held: Record<string, Content>, expected?: StoreEntry[]) =>
    checkDocuments(storeWith(held), [A, B], expected, "Do this.");

  it("takes nothing, nothing of worth, and a text, whatever it is, if the value in use is known", async () => {
    await expect(check({})).resolves.toBeUndefined();
    await expect(check({ [A]: EMPTY, [B]: text("x") })).resolves.toBeUndefined();
  });

  it("refuses every document that it cannot read, with what to do for each", async () => {
    const odd = `version 3, written ${WRITTEN}, and it has the keys \`a\`, \`b\`; expected the key \`value\``;
    await expect(check({ [A]: ODD, [B]: ODD }, [])).rejects.toThrow(
      new StepError(`${A}: ${odd}: look at ${A}; ${B}: ${odd}: look at ${B}`),
    );
    await expect(check({ [A]: text("x"), [B]: ODD })).rejects.toThrow(new StepError(`${B}: ${odd}: look at ${B}`));
  });

  it("if the value in use is not known takes what may stand at each path, and refuses the rest", async () => {
    const expected = entries([A, "one"], [A, "two"], [B, "three"]);
    await expect(check({ [A]: text("two"), [B]: text("three") }, expected)).resolves.toBeUndefined();
    await expect(check({ [A]: EMPTY }, expected)).resolves.toBeUndefined();
    await expect(check({ [A]: text("three"), [B]: text("one") }, expected)).rejects.toThrow(
      new StepError(
        `the store holds a value that this stack does not know: ${A}: version 3, written ${WRITTEN}; ` +
          `${B}: version 3, written ${WRITTEN}. Do this.`,
      ),
    );
    await expect(check({ [B]: text("x") }, [])).rejects.toThrow(B);
  });
});

describe("checkCurrentValue", () => {
  const check = (held: Record<string, Content>, ...known: (readonly [string, string])[]) =>
    checkCurrentValue(storeWith(held), entries(...known), "Do this.");

  it("names each path once, with the version that holds one of the values known for it", async () => {
    const held = { [A]: text("one"), [B]: text("three") };
    await expect(check(held, [A, "one"], [A, "two"], [B, "three"])).resolves.toBe(`${A} version 3, ${B} version 3`);
  });

  it("says of each path that holds anything else what is there", async () => {
    const held = { [B]: EMPTY, c: text("x"), d: ODD, e: text("right") };
    await expect(check(held, [A, "1"], [B, "2"], ["c", "3"], ["d", "4"], ["e", "right"])).rejects.toThrow(
      new StepError(
        `${A} is not in the store; ${B} holds nothing (the document is empty); c: version 3, written ${WRITTEN}, is not what ` +
          `this stack wrote; d: version 3, written ${WRITTEN}, and it has the keys \`a\`, \`b\`; expected the key ` +
          "`value`, is not what this stack wrote. Do this.",
      ),
    );
  });

  it("takes the value of another path for no value of this one", async () => {
    await expect(check({ [A]: text("two"), [B]: text("two") }, [A, "one"], [B, "two"])).rejects.toThrow(A);
  });
});

describe("an external write", () => {
  const held = { [A]: text("s3cret"), [B]: ODD, c: EMPTY, d: text("right") };
  const known = entries([A, "1"], [B, "2"], ["c", "3"], ["d", "right"], ["e", "5"]);
  const named =
    `${A}: version 3, written ${WRITTEN}; ${B}: version 3, written ${WRITTEN}, and it has the keys \`a\`, \`b\`; ` +
    "expected the key `value`";

  it("is refused, or noted if a request says to overwrite it", async () => {
    await expect(checkUnchanged(storeWith(held), known, "Do this.")).rejects.toThrow(
      new StepError(`external write to ${named}. Do this.`),
    );
    await expect(overwrittenValues(storeWith(held), known)).resolves.toBe(`overwrites ${named}`);
  });

  it("is none if every path is empty or holds a value that is known for it", async () => {
    const ours = entries(["c", "3"], ["d", "old"], ["d", "right"], ["e", "5"]);
    await expect(checkUnchanged(storeWith(held), ours, "Do this.")).resolves.toBe("no external write");
    await expect(overwrittenValues(storeWith(held), ours)).resolves.toBe("nothing is overwritten");
  });

  it("is found exactly if a text is none of the known ones, and no value is in a message", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom("s3cret-1", "s3cret-2", "s3cret-3"),
        fc.subarray(["s3cret-1", "s3cret-2"], { minLength: 1 }),
        async (value, values) => {
          const given = values.map((one) => ({ path: A, value: one }));
          const asked = checkUnchanged(storeWith({ [A]: text(value) }), given, "Do this.");
          const said = await asked.catch((error: Error) => error.message);
          expect(said === "no external write").toBe(values.includes(value));
          expect(said).not.toContain("s3cret");
        },
      ),
    ));
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TAMPERINGS } from "../../../dev/prove/evidence/matrix";
import { startWorld, type World } from "../../../dev/prove/evidence/world";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

describe("a bundle, from its bytes and a public key", () => {
  it("is intact if nobody touched the log, its anchors or the file", async () => {
    const one = await world.copy();
    const tar = await one.bundle();
    expect(await one.verify(tar)).toEqual({
      valid: true,
      signedBy: "runner",
      about: expect.objectContaining({ stack: "paper", madeBy: "ci", places: { ledger: null, tags: null } }),
      rows: 8,
      anchors: 8,
      confirmedTo: 8,
      problems: [],
      notes: [],
    });
    const foreign = await one.verify(tar, world.others.verifier);
    expect(foreign).toMatchObject({ valid: false, problems: [{ where: "signature" }] });
  });

  it.each(TAMPERINGS.map((tampering) => [tampering.by, tampering.name, tampering] as const))(
    "shows that a %s %s",
    async (_, _name, { tamper, found }) => {
      const one = await world.copy();
      const { valid, problems } = await one.verify(await tamper(one));
      expect(problems.map(({ message }) => message).join("\n")).toMatch(found);
      expect(valid).toBe(false);
    },
  );

  it("says which rows no anchor confirms", async () => {
    const one = await world.copy();
    await one.append("alone");
    const { valid, notes } = await one.verify(await one.bundle());
    expect([valid, notes]).toEqual([true, [expect.stringMatching(/^1 row is confirmed by no anchor/)]]);
  });

  it("gets the anchors that a place missed from the others", async () => {
    const one = await world.copy();
    const { rename } = await import("node:fs/promises");
    await rename(one.repository, `${one.repository}.away`);
    await one.append("while it is away");
    expect((await one.anchor()).failed).toEqual({ tags: expect.stringContaining("anchors.git") });
    await rename(`${one.repository}.away`, one.repository);
    expect(await one.anchor()).toMatchObject({ added: false, failed: {} });
    expect(await one.verify(await one.bundle())).toMatchObject({ valid: true, confirmedTo: 9, notes: [] });
  });
});

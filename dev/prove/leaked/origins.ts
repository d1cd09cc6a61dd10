import { clockAt } from "../../lab/deploy";
import type { LeakLife, Origin } from "./life";
import { supplyPair } from "./pairs";

const DATABASE = "database/password";

/** Passwords that this program makes: adopted, then rotated twice; of Alpaca's pairs, if there are some, the first is deleted. */
export const SLOTS: Origin = {
  async begin(life) {
    const { lab, stack } = life;
    const adopted = { username: "trader", value: lab.adopted[DATABASE] ?? "" };
    life.note({ secret: DATABASE, generation: 0, part: "password", ...adopted });
    const rotatesKeys = (await stack.pulumi(["config", "get", "alpacaKeys"])).exitCode === 0;
    for (const generation of [1, 2, 3]) {
      await stack.configure("lab", clockAt((generation - 1) * 89));
      if (rotatesKeys && generation === 2) await supplyPair(life, "paper-trading-2027-02-20");
      await life.up();
      await life.noteInUse(generation);
    }
    if (rotatesKeys) lab.alpaca.paper.deleteKey(lab.adoptedAlpaca.keyId);
  },
  async inUse({ lab }) {
    const [password, username] = await Promise.all([lab.store.get(DATABASE), lab.store.get("database/username")]);
    return { value: password?.value ?? "", username: username?.value ?? "trader" };
  },
  text: ({ value }) => value,
};

/** A path below the database engine of Vault that hands out a login. */
async function handedOut({ lab }: LeakLife, path: string): Promise<{ username: string; value: string }> {
  const answer = (await lab.openbao.request("GET", path)) as { data?: { username: string; password: string } };
  if (answer.data === undefined) throw new Error(`Vault hands out nothing at ${path}`);
  return { username: answer.data.username, value: answer.data.password };
}

const request = (life: LeakLife, id: string) =>
  life.stack.configure("request", { id, secret: DATABASE, rotate: true, reason: "a proof" });

/** A password that Vault rotates: on request, by itself, and at last by itself with no update that saw it. */
export const STATIC: Origin = {
  async begin(life) {
    await life.up();
    await life.noteInUse(1);
    await request(life, "second");
    await life.up();
    await life.noteInUse(2);
    await life.lab.openbao.request("POST", "database/rotate-role/trader", {});
    await life.up();
    await life.noteInUse(3);
    await life.lab.openbao.request("POST", "database/rotate-role/trader", {});
    await life.noteInUse(3);
  },
  inUse: (life) => handedOut(life, "database/static-creds/trader"),
  text: ({ value }) => value,
};

/** Logins that Vault makes on demand: one from before a rotation, which ended it, and one from after it. */
export const DYNAMIC: Origin = {
  async begin(life) {
    await life.up();
    await life.noteInUse(1, "login");
    await request(life, "second");
    await life.up();
    await life.noteInUse(2, "login");
  },
  inUse: (life) => handedOut(life, "database/creds/signal-service-trader"),
  text: ({ username, value }) => `postgres://${username}:${encodeURIComponent(value)}@db.internal:5432/trader`,
};

import { describe, expect, it } from "vitest";
import { alpacaPairs, keyOf } from "../../../kinds/alpaca-key/supplied";
import { heldEntries } from "../../../kinds/issuer/keys";
import { A, B, settings, update } from "./alpaca-updates";
import { inputOf } from "./strict-mocks";

const KEYS = { keyId: "APCA_API_KEY_ID", secretKey: "APCA_API_SECRET_KEY" };
const SECRET = {
  ...{ kind: "alpaca-key", format: "json", path: "alpaca/pair", keys: KEYS, extras: { feed: "iex" } },
  restart: ["orchestrator"],
};
const config = (keys: Parameters<typeof settings>[0]) => settings(keys, { secrets: [SECRET] });
const document = ({ keyId, secretKey }: typeof A) => ({
  path: "alpaca/pair",
  fields: {
    APCA_API_KEY_ID: { value: keyId },
    APCA_API_SECRET_KEY: { value: secretKey },
    feed: { value: "iex", public: true },
  },
});

describe("an Alpaca pair in one document", async () => {
  const adopted = await update({ config: config({ current: A }), days: 0 });
  const shape = {
    path: "alpaca/pair",
    keys: { [KEYS.keyId]: "{keyId}", [KEYS.secretKey]: "{secretKey}", feed: "iex" },
  };
  const rotated = await update({
    config: config({ current: B, previous: A }),
    days: 8,
    before: { state: adopted.state, key: { label: A.label, keyId: "…_A1A" }, shape },
  });

  it("is written at once, where the store holds one of the two pairs", () => {
    const written = inputOf(rotated.all, "alpaca-api_key-store-write");
    expect(written.entries).toEqual([document(B)]);
    expect(written.known).toEqual([document(A), document(B)]);
    const preflight = inputOf(rotated.all, "alpaca-api_key-preflight-checks");
    expect(preflight).toMatchObject({
      paths: ["alpaca/pair"],
      documents: { "alpaca/pair": [KEYS.keyId, KEYS.secretKey, "feed"] },
      current: { entries: [document(A), document(B)] },
    });
  });

  it("of the platform itself has no extra yet", () => {
    const secret = config({ current: A }).secrets[0];
    if (secret?.kind !== "alpaca-key") throw new Error("no pair");
    const { feed: _, ...fields } = document(A).fields;
    expect(heldEntries(alpacaPairs, secret, keyOf(A).values, adopted.state)).toEqual([{ path: "alpaca/pair", fields }]);
    expect(heldEntries(alpacaPairs, secret, keyOf(A).values, rotated.state)).toEqual([document(A)]);
  });
});

import { it } from "vitest";
import { survives } from "./sample";

it("what a first update made in Vault is adopted by the next if it was interrupted before it was saved", async () => {
  await survives({ strategy: "vault-dynamic", store: "vault", bucket: false }, [
    {
      operation: "adoption",
      effect: "vault: change mounts",
      nth: 0,
      side: "after",
      victim: "machine",
      recovery: "rotation run",
    },
  ]);
});

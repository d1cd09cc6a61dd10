import { it } from "vitest";
import { survives } from "../crash/sample";

it("a login role that was made by an update which died before that was saved is taken over by the next", async () => {
  await survives({ strategy: "alternating-users", store: "vault", bucket: false }, [
    {
      operation: "adoption",
      effect: "postgres: CREATE ROLE trader_*, COMMIT",
      nth: 0,
      side: "after",
      victim: "engine",
      recovery: "pulumi up",
    },
  ]);
});

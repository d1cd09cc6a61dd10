import { describe, it } from "vitest";
import { useBench } from "./harness";
import { huntLeaks } from "./leak-hunt";

describe("single-user, store vault", () => {
  const bench = useBench({ strategies: { "database/password": "single-user" }, huntLeaks: true });

  it("leaves no credential in state, output, process list or logs", { timeout: 600_000 }, async () => {
    await huntLeaks(bench());
  });
});

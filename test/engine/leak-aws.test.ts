import { describe, it } from "vitest";
import { useBench } from "./harness";
import { huntLeaks } from "./leak-hunt";

describe("alternating-users, store aws", () => {
  const bench = useBench({ labOptions: { store: "aws" }, huntLeaks: true });

  it("leaves no credential in state, output, process list or logs", { timeout: 600_000 }, async () => {
    await huntLeaks(bench());
  });
});

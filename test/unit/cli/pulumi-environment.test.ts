import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { pulumiEnvironment } from "../../../cli/operate/pulumi";

it("is each project's own, also of two projects in one process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-environment-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "pulumi"), "#!/bin/sh\n", { mode: 0o755 });
  const of = (backend: string) => ({ PATH: folder, PULUMI_BACKEND_URL: backend });
  const [one, other] = [of("file:///one"), of("file:///other")];
  for (const env of [one, other, one]) expect(await pulumiEnvironment(env)).toMatchObject(env);
});

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { projectRoot } from "../../toolchain/project";
import type { Project } from "../project";
import { runPulumi } from "../pulumi";

/** The versions of everything that took part. */
export async function versionsOf(project: Project, client: pg.ClientBase): Promise<Record<string, unknown>> {
  const file = join(projectRoot(), "package.json");
  const { version, dependencies = {} } = JSON.parse(readFileSync(file, "utf8")) as {
    version: string;
    dependencies?: Record<string, string>;
  };
  const [pulumi, server] = await Promise.all([
    runPulumi(project, ["version"]),
    client.query<{ version: string }>("SELECT current_setting('server_version') AS version"),
  ]);
  const plugins = Object.entries(dependencies).filter(([name]) => name.startsWith("@pulumi/"));
  return {
    "secret-rotation": version,
    program: programDigest(),
    node: process.version,
    pulumi: pulumi.exitCode === 0 ? pulumi.stdout.trim() : null,
    plugins: Object.fromEntries(plugins),
    postgresql: server.rows[0]?.version ?? null,
  };
}

/** The bundle that Pulumi runs. */
function programDigest(): string | null {
  try {
    return `sha256:${createHash("sha256")
      .update(readFileSync(join(projectRoot(), "dist", "index.cjs")))
      .digest("hex")}`;
  } catch {
    return null;
  }
}

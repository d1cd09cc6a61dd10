import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cacheRoot } from "../../../cli/toolchain/cache";
import { projectRoot } from "../../../cli/toolchain/project";
import { guardFolder } from "../../../dev/lab/guard";
import { get, type Health } from "./service";

const SOURCES = ["pom.xml", "src/main/java/app/Application.java"];

/** Why no service of Spring Boot can be built; undefined if one can. */
export async function withoutSpring(): Promise<string | undefined> {
  for (const command of ["java", "mvn"]) {
    const { failed } = await execa("sh", ["-c", `command -v ${command}`], { reject: false });
    if (failed) return `${command} is missing: apt-get install openjdk-17-jdk-headless maven`;
  }
  return undefined;
}

/** A service of Spring Boot, built by Maven once and kept in the toolchain's cache. */
export async function springJar(): Promise<string> {
  const from = join(projectRoot(), "test/field/services/spring");
  const hash = createHash("sha256");
  for (const file of SOURCES) hash.update(await readFile(join(from, file)));
  const kept = join(cacheRoot(process.env), `field-spring-${hash.digest("hex").slice(0, 12)}.jar`);
  if (existsSync(kept)) return kept;
  const work = `${kept}.${process.pid}`;
  const release = guardFolder(work);
  try {
    await mkdir(work, { recursive: true });
    await cp(from, work, { recursive: true });
    await execa("mvn", ["-q", "-B", "package"], { cwd: work, stdin: "ignore", timeout: 1_200_000 });
    await copyFile(join(work, "target/app.jar"), `${work}.done`);
    await rename(`${work}.done`, kept);
  } finally {
    await rm(work, { recursive: true, force: true });
    release();
  }
  return kept;
}

/** What of this machine a container needs to run Java. */
export async function javaFiles(): Promise<Record<string, string>> {
  const { stdout } = await execa("sh", ["-c", "readlink -f $(command -v java)"]);
  const home = dirname(dirname(stdout));
  const config = `/etc/java-${/java-(\d+)/.exec(home)?.[1]}-openjdk`;
  const all = [home, config, "/etc/ssl/certs/java"].filter(existsSync);
  return Object.fromEntries(all.map((folder) => [folder, folder]));
}

/** Health and info of Actuator; a start is what `info` says of it. */
export async function actuator(url: string): Promise<Health> {
  const { status } = await get<{ status: string }>(url);
  const { user, started_at } = await get<{ user: string; started_at: string }>(url.replace(/health$/, "info"));
  return { healthy: status === "UP", user, started: started_at };
}

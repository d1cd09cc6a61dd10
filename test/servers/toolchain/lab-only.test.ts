import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { labOnly } from "../../../dev/toolchain/plugins/lab-only";
import { randomProvider } from "../../../dev/toolchain/plugins/random";
import { serve } from "../../../dev/toolchain/plugins/server";
import { EngineClient } from "../../unit/contract/client";
import { testFolder } from "./support";

const plugin = { name: "random", version: "4.21.2" };
const urn = (stack: string) => `urn:pulumi:${stack}::secret-rotation::pulumi:providers:random::default`;

/** A project whose stack `it` has this settings file. */
async function project(settings: string | undefined, { main = "", configDir = "" } = {}) {
  const folder = await testFolder();
  await mkdir(path.join(folder, main), { recursive: true });
  await mkdir(path.join(folder, configDir), { recursive: true });
  await writeFile(
    path.join(folder, "Pulumi.yaml"),
    `name: secret-rotation\n${configDir === "" ? "" : `stackConfigDir: ${configDir}\n`}`,
  );
  if (settings !== undefined) await writeFile(path.join(folder, configDir, "Pulumi.it.yaml"), settings);
  return path.join(folder, main);
}

test.each([
  ["config:\n  secret-rotation:lab: {}\n"],
  ["config:\n  secret-rotation:lab:\n    clock: 2026-11-23T02:00:00Z\n"],
  ['config:\n  secret-rotation:lab: "{}"\n'],
  ['{"config": {"secret-rotation:lab": {}, "secret-rotation:environment": "paper"}}'],
])("a stack whose config says lab is served: %j", async (settings) => {
  expect(labOnly({ ...plugin, folder: await project(settings) })(urn("it"))).toBeUndefined();
});

test.each([
  [undefined],
  [""],
  ["config:\n"],
  ["config:\n  secret-rotation:environment: lab\n"],
  ["config:\n  other:lab: {}\n"],
  ["config:\n  secret-rotation:lab:\n"],
  ["# secret-rotation:lab: {}\nconfig: {}\n"],
  ["environment: [lab]\n"],
  ["config: [ not yaml\n"],
])("any other is refused, with the plugin's name, version and command: %j", async (settings) => {
  const folder = await project(settings);
  const guard = labOnly({ ...plugin, folder });
  for (const stack of ["it", "prod"]) {
    expect(() => guard(urn(stack))).toThrow(
      /^the random plugin v4\.21\.2 is missing: [\s\S]*config of stack \w+ in [\s\S]* Nothing was changed\.[\s\S]*\n {2}pulumi plugin install resource random v4\.21\.2\n[\s\S]*--server/,
    );
  }
});

test("the settings file is found from the program's folder, and where Pulumi.yaml puts it", async () => {
  const lab = "config:\n  secret-rotation:lab: {}\n";
  expect(labOnly({ ...plugin, folder: await project(lab, { main: "src/deep" }) })(urn("it"))).toBeUndefined();
  expect(labOnly({ ...plugin, folder: await project(lab, { configDir: "stacks" }) })(urn("it"))).toBeUndefined();
});

test("one stack that is a lab says nothing of another", async () => {
  const guard = labOnly({ ...plugin, folder: await project("config:\n  secret-rotation:lab: {}\n") });
  guard(urn("it"));
  expect(() => guard(urn("prod"))).toThrow("config of stack prod");
});

test("no request about a resource or the provider's config gets past the guard", async () => {
  const guard = labOnly({ ...plugin, folder: await project("config: {}\n") });
  const server = await serve({ package: "random", version: "4.21.2", provider: randomProvider(), guard });
  const client = new EngineClient(server.port);
  try {
    const resource = `urn:pulumi:it::secret-rotation::random:index/randomPassword:RandomPassword::x`;
    const type = "random:index/randomPassword:RandomPassword";
    const requests = [
      { method: "CheckConfig", request: { urn: urn("it"), news: {} } },
      ...["Check", "Create", "Diff", "Update", "Read", "Delete"].map((method) => ({
        method,
        request: { urn: resource, type, name: "x", id: "x", news: { length: 9 }, properties: { length: 9 }, olds: {} },
      })),
    ];
    for (const asked of requests) {
      const { errors } = await client.ask(asked);
      expect(errors?.[0], asked.method).toContain("the random plugin v4.21.2 is missing");
    }
  } finally {
    client.close();
    await server.close();
  }
});

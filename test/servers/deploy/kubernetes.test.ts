import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { asYaml, kubernetesManifests } from "../../../cli/operate/schedule/kubernetes";
import { createProgram } from "../../../cli/program";
import { projectRoot } from "../../../cli/toolchain/project";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { testFolder } from "../toolchain/support";

const folder = path.join(projectRoot(), "deploy", "kubernetes");
const SERVERS = ["1.30", "1.33", "1.37"];

let tool: string;
beforeAll(async () => {
  const { kubernetesValidate } = await resolveToolchain({ need: ["kubernetes-validate"], onProgress: () => undefined });
  if (!kubernetesValidate) throw new Error("expected the toolchain to have kubernetes-validate, found none");
  tool = kubernetesValidate.path;
});

const manifests = async () =>
  (await readdir(folder)).filter((name) => name !== "kustomization.yaml").map((name) => path.join(folder, name));

const validate = (version: string, files: readonly string[]) =>
  execa(tool, ["--strict", "--kubernetes-version", version, ...files], { reject: false, all: true });

test("every manifest is valid for the oldest and the newest server, and a wrong one is found", async () => {
  const files = await manifests();
  expect(files.length).toBeGreaterThan(4);
  for (const version of SERVERS) {
    const { exitCode, all } = await validate(version, files);
    expect(exitCode, all).toBe(0);
  }
  const text = await readFile(path.join(folder, "cronjob.yaml"), "utf8");
  const broken = path.join(await testFolder(), "broken.yaml");
  await writeFile(broken, text.replace("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true"));
  const { exitCode, all } = await validate("1.37", [broken]);
  expect(exitCode).not.toBe(0);
  expect(all).toContain("readOnlyRootFileSystem");
});

test("the manifests of many stacks are valid for the same servers, in both forms", async () => {
  const about = {
    stacks: ["prod-1", "Prod_1", "1e3", "x".repeat(100)],
    image: "registry.example/secret-rotation:0.1.0",
  };
  const rest = { namespace: "rotation", schedule: "0 * * * *", timezone: "Etc/UTC", parallel: 2, name: "{prod-*,1e3}" };
  for (const form of ["cronjobs", "indexed"] as const) {
    const file = path.join(await testFolder(), `${form}.yaml`);
    await writeFile(file, asYaml(kubernetesManifests({ ...about, ...rest, form })));
    for (const version of SERVERS) {
      const { exitCode, all } = await validate(version, [file]);
      expect(exitCode, all).toBe(0);
    }
  }
});

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: Record<string, unknown>;
}

async function podOf(name: string): Promise<{ spec: Record<string, unknown>; containers: Container[] }> {
  const [document] = parseAllDocuments(await readFile(path.join(folder, name), "utf8"));
  const job = document?.toJS() as { spec: { jobTemplate: { spec: { template: { spec: Record<string, unknown> } } } } };
  const { spec } = job.spec.jobTemplate.spec.template;
  return { spec, containers: [...(spec.initContainers as Container[]), ...(spec.containers as Container[])] };
}

test.each(["cronjob.yaml", "cronjob-remind.yaml", "cronjob-watch.yaml"])(
  "%s meets the restricted pod security standard",
  async (name) => {
    const { spec, containers } = await podOf(name);
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    for (const { securityContext, env = [] } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(env.map((one) => one.name)).not.toContain("PGPASSWORD");
    }
  },
);

test("the commands are those of the command line, and run as in the systemd units", async () => {
  for (const [manifest, unit] of [
    ["cronjob.yaml", "secret-rotation@.service"],
    ["cronjob-remind.yaml", "secret-rotation-remind@.service"],
  ] as const) {
    const { containers } = await podOf(manifest);
    const { command = [], args = [] } = containers.at(-1) ?? {};
    const text = await readFile(path.join(projectRoot(), "deploy", "systemd", unit), "utf8");
    const [, line = ""] = /^ExecStart=\S+ (.*)$/m.exec(text) ?? [];
    expect([...command.slice(1), ...args].join(" ")).toBe(line.replace("%i", "paper"));
    const known = createProgram().commands.find((one) => one.name() === args[0]);
    expect(known?.options.map(({ long }) => long)).toEqual(
      expect.arrayContaining(args.filter((arg) => arg.startsWith("--"))),
    );
  }
});

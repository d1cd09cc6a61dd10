import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheRoot } from "../../../cli/toolchain/cache";
import { projectRoot } from "../../../cli/toolchain/project";
import { guardFolder } from "../../../dev/lab/guard";

/** Folder of the go.mod that pins what a cluster is built of. */
const MODULE = join(projectRoot(), "test/field/ground/kubernetes");

const KUBERNETES = "1.34.4";

/** What a cluster is made of, by its Go package. */
const PROGRAMS = [
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((name) => `k8s.io/kubernetes/cmd/${name}`),
  "sigs.k8s.io/kwok/cmd/kwok",
];

/** The stages of kwok's own that make a node ready, and a pod as fast as it can be. */
const STAGES = [
  ...["node/fast/node-initialize", "node/heartbeat-with-lease/node-heartbeat-with-lease"],
  ...["pod/fast/pod-ready", "pod/fast/pod-complete", "pod/fast/pod-delete"],
];

/** Why no cluster can be made here; undefined if one can. */
export async function withoutKubernetes(): Promise<string | undefined> {
  for (const [command, how] of Object.entries({
    go: "install Go 1.26",
    kubectl: "install it",
    "apt-get": "etcd is taken from Debian",
    "dpkg-deb": "etcd is taken from Debian",
  })) {
    const { failed } = await execa("sh", ["-c", `command -v ${command}`], { reject: false });
    if (failed) return `${command} is missing: ${how}`;
  }
  return undefined;
}

/**
 * A folder with `etcd`, the API server, the controller manager, the scheduler, `kwok` and its stages. The first call builds
 * them from Go modules (about ten minutes on two cores) and keeps them in the toolchain's cache.
 */
export async function clusterPrograms(): Promise<string> {
  const sums = await readFile(join(MODULE, "go.sum"), "utf8");
  return made("kubernetes", JSON.stringify([KUBERNETES, PROGRAMS, STAGES, sums]), async (folder) => {
    const version = (name: string, value: string) => `-X k8s.io/component-base/version.${name}=${value}`;
    const [major = "", minor = ""] = KUBERNETES.split(".");
    const linked = [version("gitVersion", `v${KUBERNETES}`), version("gitMajor", major), version("gitMinor", minor)];
    const link = ["-ldflags", ["-s", "-w", ...linked].join(" ")];
    await go(MODULE, ["build", "-mod=readonly", ...FLAGS, ...link, "-o", `${folder}/`, ...PROGRAMS]);
    const { stdout: kwok } = await go(MODULE, ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"]);
    for (const stage of STAGES)
      await copyFile(
        join(kwok, "kustomize/stage", `${stage}.yaml`),
        join(folder, `${stage.replaceAll("/", "-")}.yaml`),
      );
    await execa("apt-get", ["download", "etcd-server"], { cwd: folder });
    const [deb = ""] = (await readdir(folder)).filter((name) => name.endsWith(".deb"));
    await execa("dpkg-deb", ["--extract", deb, "debian"], { cwd: folder });
    await rename(join(folder, "debian/usr/bin/etcd"), join(folder, "etcd"));
  });
}

const OPERATOR = "github.com/external-secrets/external-secrets";

/** The version, and the sum by which the registry of sums knows it. */
const OPERATOR_AT = { version: "v0.20.4", sum: "h1:HhNAjWfFEshhItphr28SGsHzf2bUP7uDAOVLg76uNAg=" };

/** Of its forty providers and all generators only what is used here is built: the rest would take an hour. */
const REGISTERED = {
  "pkg/provider/register/register.go": `package register\n\nimport _ "${OPERATOR}/pkg/provider/vault"\n`,
  "pkg/generator/register/register.go": "package register\n",
};

/** A folder with `external-secrets`, the operator's own program with the provider for Vault alone, and its `crds.yaml`. */
export function externalSecrets(): Promise<string> {
  return made("external-secrets", JSON.stringify([OPERATOR_AT, REGISTERED, KUBERNETES]), async (folder) => {
    const source = await sourceOf(folder, OPERATOR, OPERATOR_AT);
    for (const [file, content] of Object.entries(REGISTERED)) await writeFile(join(source, file), content);
    // With the libraries of the cluster most of it is compiled already.
    const libraries = ["api", "apiextensions-apiserver", "apimachinery", "client-go"];
    const require = libraries.map((name) => `-require=k8s.io/${name}@v${KUBERNETES.replace(/^1/, "0")}`);
    await go(source, ["mod", "edit", ...require]);
    await go(source, ["build", "-mod=mod", ...FLAGS, "-ldflags", "-s -w", "-o", join(folder, "external-secrets"), "."]);
    await rename(join(source, "deploy/crds/bundle.yaml"), join(folder, "crds.yaml"));
    await rm(source, { recursive: true });
  });
}

const VAULT_OPERATOR = "github.com/hashicorp/vault-secrets-operator";

/** The newest version that the public module proxy serves. */
const VAULT_OPERATOR_AT = { version: "v0.10.0", sum: "h1:BjOTBJRqx1SLo7NeyqNJWRPDyfRscbqPtGU1U2LzArg=" };

/** A folder with `vault-secrets-operator`, HashiCorp's operator, and its folder `crds`. */
export function vaultSecretsOperator(): Promise<string> {
  return made("vault-secrets-operator", JSON.stringify(VAULT_OPERATOR_AT), async (folder) => {
    const source = await sourceOf(folder, VAULT_OPERATOR, VAULT_OPERATOR_AT);
    const to = join(folder, "vault-secrets-operator");
    await go(source, ["build", "-mod=readonly", ...FLAGS, "-ldflags", "-s -w", "-o", to, "."]);
    await rename(join(source, "chart/crds"), join(folder, "crds"));
    await rm(source, { recursive: true });
  });
}

/** A copy of a module that can be written to. @throws Error if it is not the one that was expected */
async function sourceOf(folder: string, module: string, at: { version: string; sum: string }): Promise<string> {
  const { stdout } = await go(folder, ["mod", "download", "-json", `${module}@${at.version}`]);
  const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
  if (Sum !== at.sum) throw new Error(`expected the sum ${at.sum} of ${module}, found ${Sum}`);
  const source = join(folder, "source");
  await cp(Dir, source, { recursive: true });
  await execa("chmod", ["-R", "u+w", source]);
  return source;
}

/** Without debug information the compiler needs a fifth less time. */
const FLAGS = ["-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"];

const go = (cwd: string, args: readonly string[]) =>
  execa("go", [...args], {
    cwd,
    env: { CGO_ENABLED: "0", GOWORK: "off", GOGC: "200" },
    stdin: "ignore",
    timeout: 3_600_000,
  });

/** A folder of the toolchain's cache, made once for each `state` of what it is made of. */
async function made(name: string, state: string, make: (folder: string) => Promise<void>): Promise<string> {
  const key = createHash("sha256").update(state).digest("hex").slice(0, 12);
  const folder = join(cacheRoot(process.env), `field-${name}-${key}`);
  if (existsSync(folder)) return folder;
  const work = `${folder}.${randomBytes(4).toString("hex")}`;
  const release = guardFolder(work);
  await mkdir(work, { recursive: true });
  try {
    await make(work);
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
    release();
  }
  return folder;
}

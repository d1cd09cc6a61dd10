import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { deploymentSchedules } from "../../../cli/operate/schedule/deployments";
import {
  asYaml,
  type KubernetesSchedule,
  kubernetesManifests,
  type Manifest,
} from "../../../cli/operate/schedule/kubernetes";
import { createProgram } from "../../../cli/program";

const schedule: KubernetesSchedule = {
  stacks: ["prod-1", "prod-2", "prod-3"],
  form: "cronjobs",
  image: "registry.example/secret-rotation@sha256:0a",
  namespace: "rotation",
  schedule: "0 * * * *",
  timezone: "America/New_York",
  parallel: 2,
  name: "prod-*",
};

// biome-ignore lint/suspicious/noExplicitAny: a manifest has no type here
type Any = any;
const cronJobsOf = (about: Partial<KubernetesSchedule>): Any[] =>
  kubernetesManifests({ ...schedule, ...about }).filter(({ kind }) => kind === "CronJob");
const stackName = fc.stringMatching(/^[A-Za-z0-9_.-]{1,100}$/);

describe("manifests for many stacks", () => {
  it("are the account, its right to see Jobs, and a CronJob for each stack", () => {
    const all = kubernetesManifests(schedule) as Any[];
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(names).toEqual([
      "ServiceAccount rotation/secret-rotation",
      "Role rotation/secret-rotation-jobs",
      "RoleBinding rotation/secret-rotation-jobs",
      ...schedule.stacks.map((stack) => `CronJob rotation/secret-rotation-${stack}`),
    ]);
    expect(all[1].rules).toEqual([{ apiGroups: ["batch"], resources: ["jobs"], verbs: ["get"] }]);
    expect(all[2].subjects).toEqual([{ kind: "ServiceAccount", name: "secret-rotation", namespace: "rotation" }]);
  });

  it("each runs its own stack, one at a time, at its own minute, with deadlines and no retry", () => {
    const [job] = cronJobsOf({});
    expect(job.spec).toMatchObject({ timeZone: "America/New_York", concurrencyPolicy: "Forbid" });
    expect(job.spec.startingDeadlineSeconds).toBe(3600);
    expect(job.spec.jobTemplate.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 7200 });
    expect(new Set(cronJobsOf({}).map(({ spec }) => spec.schedule)).size).toBe(3);
    const { containers, volumes } = job.spec.jobTemplate.spec.template.spec;
    expect(containers[0].args).toEqual(["run", "--if-due", "--yes", "--stack", "prod-1"]);
    expect(containers[0].envFrom).toEqual([{ configMapRef: { name: "secret-rotation-prod-1" } }]);
    // By reference only; 288 is 0440, readable by owner and group.
    expect(volumes[0].secret).toEqual({ secretName: "secret-rotation-prod-1", defaultMode: 0o440 });
    const [shared] = cronJobsOf({ settings: "all", credentials: "all-secrets" });
    const pod = shared.spec.jobTemplate.spec.template.spec;
    expect(pod.containers[0].envFrom[0].configMapRef.name).toBe("all");
    expect(pod.volumes[0].secret.secretName).toBe("all-secrets");
  });

  it("or one CronJob, with an index for each stack and so many at a time", () => {
    const jobs = cronJobsOf({ form: "indexed" });
    expect(jobs.length).toBe(1);
    const { spec } = jobs[0].spec.jobTemplate;
    expect(spec).toMatchObject({ completionMode: "Indexed", completions: 3, parallelism: 2, backoffLimitPerIndex: 0 });
    expect(spec).not.toHaveProperty("backoffLimit");
    expect(spec.activeDeadlineSeconds).toBe(14_400);
    expect(spec.template.spec.activeDeadlineSeconds).toBe(7200);
    expect(spec.template.spec.containers[0].args).toEqual(["rotation", "prod-1", "prod-2", "prod-3"]);
  });

  it("for any stacks: names are valid and unique, no root, nothing writable, stable text that reads back the same", () => {
    const forms = fc.constantFrom("cronjobs" as const, "indexed" as const);
    fc.assert(
      fc.property(fc.uniqueArray(stackName, { minLength: 1, maxLength: 8 }), forms, (stacks, form) => {
        const manifests = kubernetesManifests({ ...schedule, stacks, form });
        const jobs = manifests.filter(({ kind }) => kind === "CronJob") as Any[];
        expect(new Set(jobs.map(({ metadata }) => metadata.name)).size).toBe(form === "indexed" ? 1 : stacks.length);
        for (const { metadata, spec } of jobs) {
          expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$/);
          for (const label of Object.values(metadata.labels))
            expect(label).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
          const pod = spec.jobTemplate.spec.template.spec;
          expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 });
          for (const { securityContext } of [...pod.initContainers, ...pod.containers])
            expect(securityContext).toEqual({
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            });
        }
        const words = jobs.flatMap(({ spec }) => spec.jobTemplate.spec.template.spec.containers[0].args);
        expect(words.filter((word) => stacks.includes(word)).length).toBeGreaterThanOrEqual(stacks.length);
        const text = asYaml(manifests);
        expect(asYaml(kubernetesManifests({ ...schedule, stacks, form }))).toBe(text);
        for (const version of ["1.1", "1.2"] as const)
          expect(parseAllDocuments(text, { version }).map((one) => one.toJS() as Manifest)).toEqual(manifests);
      }),
      { numRuns: 30 },
    );
  });
});

it("schedules of Pulumi Deployments name the stack in full and quote what a shell would read", () => {
  const made = deploymentSchedules({
    ...{ stacks: ["prod-1", "prod-2"], organization: "acme", project: "secret-rotation", schedule: "0 * * * *" },
  });
  expect(made.map(({ path }) => path)).toEqual([
    "/api/stacks/acme/secret-rotation/prod-1/deployments/schedules",
    "/api/stacks/acme/secret-rotation/prod-2/deployments/schedules",
  ]);
  for (const { shell, body, stack } of made)
    expect(shell).toBe(
      `pulumi stack schedule new --kind raw --operation update --cron '${body.scheduleCron}' --stack acme/secret-rotation/${stack} --yes`,
    );
});

describe("wrong use", () => {
  const refused = (...words: string[]) =>
    createProgram()
      .parseAsync(["node", "rotation", "schedule", ...words])
      .then(
        () => "",
        (error: Error) => `${error.name}: ${error.message}`,
      );
  const kubernetes = ["kubernetes", "--stacks", "*", "--image", "a/b:1"];

  it.each([
    [["kubernetes", "--image", "a"], "expected either --stack or --stacks, found neither"],
    [[...kubernetes, "--stack", "prod"], "expected either --stack or --stacks, found both"],
    [["kubernetes", "--stacks", "nothing-*", "--image", "a"], "--stacks: no stack matches nothing-*"],
    [[...kubernetes, "--image", "a b"], "--image: expected an image such as"],
    [[...kubernetes, "--namespace", "A_b"], "--namespace: expected small letters, digits and -, at most 63, found A_b"],
    [[...kubernetes, "--credentials", "x.y"], "--credentials: expected small letters"],
    [[...kubernetes, "--settings", "-x"], "--settings: expected small letters"],
    [[...kubernetes, "--timezone", "Mars"], "--timezone: expected a name such as America/New_York, found Mars"],
    [[...kubernetes, "--schedule", "daily"], "--schedule: expected five fields of cron"],
    [["deployments", "--stacks", "*", "--organization", "a/b"], "--organization: expected letters, digits, _ or -"],
    [
      ["deployments", "--stacks", "*", "--organization", "a", "--schedule", "61 * * * *"],
      "--schedule: expected a minute",
    ],
  ])("%j is refused", async (words, message) => {
    expect(await refused(...words)).toContain(`UsageError: ${message}`);
  });
});

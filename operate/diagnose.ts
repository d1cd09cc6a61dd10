import { restartScript } from "../components/restart-script";
import { type AlpacaKeyConfig, type PostgresPasswordConfig, policyOf, type SecretConfig } from "../config";
import { graceEndsAt } from "../rotation/next-state";
import { redact } from "../rotation/redact";
import type { SecretState } from "../rotation/state";
import { messageOf } from "../steps/run-step";
import { loginsOf, pairsOf } from "./credentials";
import type { Stack } from "./facts";
import * as facts from "./facts";
import { isHalfDone } from "./half-done";
import { secretsNamed } from "./preflight";
import type { Project } from "./project";
import { clearLocks, pendingOf } from "./recover";
import { configSecrets, environmentSecrets } from "./secrets";
import { isStale, readLocks } from "./state-file";
import { removeTornFiles, tornFiles } from "./torn-files";

/** Something that is not as it must be. */
export interface Finding {
  /** The secret; null for the stack as a whole. */
  readonly secret: string | null;
  readonly cause: string;
  readonly evidence: string;
  /** The exact command that mends it. */
  readonly command: string;
  /** Does what the command does; undefined where only a person can. */
  readonly fix?: () => Promise<string>;
}

/** Looks at a stack from the outside and names what is wrong. Touches nothing. @throws ConfigError, UsageError */
export async function diagnose(project: Project, names: readonly string[]): Promise<Finding[]> {
  const torn = tornFindings(project);
  // Nothing else can be asked while the state cannot be read.
  if (torn.length > 0) return torn;
  const stack = await facts.readStack(project);
  const secrets = [...environmentSecrets(project.env), ...configSecrets(stack.config)];
  const found = await Promise.all([
    stackFindings(stack),
    ...secretsNamed(stack.config, names).map((secret) => secretFindings(stack, secret)),
  ]);
  return found.flat().map((finding) => ({ ...finding, evidence: redact(finding.evidence, secrets) }));
}

/** What an update that was killed in the middle of saving leaves beside the state. */
function tornFindings(project: Project): Finding[] {
  return tornFiles(project).map((file) => ({
    secret: null,
    cause: "an update died while it saved: a file beside the state is half written, and Pulumi says `EOF`",
    evidence: `${file} is no JSON; it holds a check sum and nothing of the state`,
    command: `rm ${file}`,
    fix: () => Promise.resolve(removeTornFiles(project).join("; ") || "it is gone already"),
  }));
}

/** What a killed update leaves: its lock and its pending operations. */
async function stackFindings({ project, engine, deployment }: Stack): Promise<Finding[]> {
  const locks = readLocks(project).map((lock): Finding => {
    const stale = isStale(lock);
    const who = `${lock.username}@${lock.hostname}, pid ${lock.pid}, since ${lock.timestamp}`;
    return {
      secret: null,
      cause: stale
        ? "the stack is locked by an update that died"
        : "an update is under way, or died on another machine",
      evidence: `lock of ${who}${stale ? "; that process is gone" : ""}`,
      command: stale ? `pulumi cancel --stack ${project.stack}` : "wait for it to end",
      ...(stale ? { fix: async () => (await clearLocks(engine, [lock])).join("; ") } : {}),
    };
  });
  const pending = pendingOf(project, deployment);
  if (pending.length === 0) return locks;
  return [
    ...locks,
    {
      secret: null,
      cause: "an update was interrupted in the middle of an operation",
      evidence: pending.map(({ type, resource }) => `${type} ${resource.urn.split("::").at(-1)}`).join(", "),
      command: `rotation run --stack ${project.stack}`,
      fix: async () => {
        await engine.dropPendingOperations();
        return "the pending operations are dropped; `rotation run` does them again";
      },
    },
  ];
}

async function secretFindings(stack: Stack, secret: SecretConfig): Promise<Finding[]> {
  const { outputs, deployment, project } = stack;
  const state = outputs[secret.name]?.state;
  const about = (cause: string, evidence: string, command: string, fix?: Finding["fix"]): Finding => ({
    ...{ secret: secret.name, cause, evidence, command },
    ...(fix === undefined ? {} : { fix }),
  });
  // What an unfinished update wrote is not a fault of its own.
  if (isHalfDone(deployment.deployment.resources ?? [], secret.name, state)) {
    const row = await facts.lastRow(stack.config, secret.name).catch(() => undefined);
    const evidence =
      row?.status === "FAILED" ? `row ${row.id}: ${row.reason ?? "FAILED"}` : "the state is ahead of the outputs";
    return [
      about(
        "a rotation or a rollback stopped half-way",
        evidence,
        `rotation run --stack ${project.stack}   (finishes it), or rotation rollback ${secret.name} --reason "..."`,
      ),
      ...(await serviceFindings(stack, secret, about)),
    ];
  }
  if (state === undefined) return [];
  const own =
    secret.kind === "postgres-password"
      ? await passwordFindings(stack, secret, state, about)
      : await keyFindings(stack, secret, state, about);
  return [
    ...own,
    ...(await serviceFindings(stack, secret, about)),
    ...(await logFindings(stack, secret, state, about)),
  ];
}

type About = (cause: string, evidence: string, command: string, fix?: Finding["fix"]) => Finding;

/** Runbook, troubleshooting 1: store and database differ, or a service holds the old password. */
async function passwordFindings(
  stack: Stack,
  secret: PostgresPasswordConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { config, deployment, project } = stack;
  const { active, previous } = loginsOf(deployment, config, secret, state);
  if (active === undefined) return [];
  const findings: Finding[] = [];
  const rotateNow = (reason: string) =>
    `rotation rotate-now ${secret.name} --reason "${reason}" --stack ${project.stack}`;
  const wrong = (
    await Promise.all(
      active.entries.map(async ({ path, value }) => ({ path, value, held: await facts.stored(config, path) })),
    )
  ).filter(({ value, held }) => held?.value !== value);
  const login = await facts.tryLogin(secret, active);
  if (wrong.length > 0) {
    const paths = wrong.map(({ path, held }) =>
      held === undefined ? `${path} is missing` : `${path} has version ${held.version}, written ${held.writtenAt}`,
    );
    findings.push(
      about(
        "the store and the database differ: somebody wrote the store by hand",
        `${paths.join("; ")}; the value that this stack knows ${login.works ? "logs in" : "does not log in"}`,
        rotateNow("store and database differ"),
      ),
    );
  }
  if (!login.works) {
    findings.push(
      about(
        "the database refuses the credential in use",
        login.evidence,
        rotateNow("the database refuses the password"),
      ),
    );
  }
  const old =
    previous === undefined || previous.username === active.username
      ? []
      : await facts.sessionsOf(secret, [previous.username]);
  const [holding] = old;
  if (holding !== undefined) {
    const first = facts.placesOf(config, secret).map((place) => facts.placeName(place));
    findings.push(
      about(
        "a service still works with the credential before (cached for up to an hour)",
        `${holding.count} sessions of ${holding.role}, the oldest since ${holding.oldest.toISOString()}`,
        `systemctl restart ${secret.restart.join(" ")}   (one at a time: ${first.join(", ")})`,
        () => restartAll(stack, secret),
      ),
    );
  }
  return findings;
}

/** Runbook, troubleshooting 2 and 3: 401 after a rotation, and a key that was deleted too early. */
async function keyFindings(
  stack: Stack,
  secret: AlpacaKeyConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const { config, project, now } = stack;
  const { active, previous } = pairsOf(config, secret, state);
  const findings: Finding[] = [];
  const pair = await facts.storedPair(config, secret);
  const differs =
    active !== undefined && (pair?.keyId.value !== active.keyId || pair.secretKey.value !== active.secretKey);
  if (differs) {
    const where =
      pair === undefined
        ? "the store holds no pair"
        : `${secret.keyIdPath} version ${pair.keyId.version}, ${secret.secretKeyPath} version ${pair.secretKey.version}`;
    findings.push(
      about(
        "the store holds another pair than the one in use",
        where,
        `write the pair ${active.label} back, then: rotation validate --stack ${project.stack}`,
      ),
    );
  }
  const status =
    pair === undefined
      ? undefined
      : await answered(() => facts.askAlpaca(config, { keyId: pair.keyId.value, secretKey: pair.secretKey.value }));
  if (typeof status === "number" && status !== 200) {
    findings.push(
      about(
        `Alpaca answers ${status} to the pair in the store: not active yet, copied wrongly, or deleted`,
        `GET /v2/account: ${status}, key ...${pair?.keyId.value.slice(-4)}`,
        `rotation alpaca add-key --stack ${project.stack}   (or rotation rollback ${secret.name} --reason "401")`,
      ),
    );
  }
  const end = graceEndsAt(state, policyOf(config, secret));
  if (previous === undefined || state.revoked || now >= end) return findings;
  const before = await answered(() => facts.askAlpaca(config, previous));
  if (before === 401) {
    findings.push(
      about(
        "the old key was deleted before its grace period ended: services that hold it fail when their cache expires",
        `Alpaca answers 401 to ${previous.label}; its grace period ends at ${end.toISOString()}`,
        `rotation run --stack ${project.stack}   (restarts every service that reads the pair)`,
      ),
    );
  }
  return findings;
}

const answered = <T>(ask: () => Promise<T>): Promise<T | undefined> => ask().catch(() => undefined);

async function serviceFindings({ config }: Stack, secret: SecretConfig, about: About): Promise<Finding[]> {
  const found = await Promise.all(
    facts.placesOf(config, secret).map(async (place): Promise<Finding[]> => {
      const answer = await facts.askHealth(config, place).catch(messageOf);
      if (facts.isHealthy(answer)) return [];
      const cause = /password authentication failed/.test(answer)
        ? `${facts.placeName(place)} does not get into the database with what it holds`
        : /401/.test(answer)
          ? `${facts.placeName(place)} holds a pair that Alpaca refuses`
          : `${facts.placeName(place)} is not healthy`;
      const restart = place.config.restart ?? `systemctl restart ${place.service}`;
      return [about(cause, answer.trim().slice(0, 300) || "no answer", restart, () => restartOne(config, place))];
    }),
  );
  return found.flat();
}

async function logFindings(
  { config, project }: Stack,
  secret: SecretConfig,
  state: SecretState,
  about: About,
): Promise<Finding[]> {
  const row = await facts.lastRow(config, secret.name).catch((error: unknown) => messageOf(error));
  if (typeof row === "string")
    return [about("the audit log cannot be read", row, "mend what is named, then run this again")];
  if (row === undefined) {
    return [
      about(
        "the audit log has no row of this secret",
        `the stack is at generation ${state.slots[state.active]}`,
        `rotation audit verify --stack ${project.stack}`,
      ),
    ];
  }
  return [];
}

function restartOne(config: Stack["config"], place: facts.Place): Promise<string> {
  const where = { name: place.hostName ?? "this machine", address: place.host?.address ?? "localhost" };
  return facts.runAt(config, place, restartScript(place.service, place.config, where)).then((text) => text.trim());
}

/** One after the other, each behind its health gate. */
async function restartAll({ config }: Stack, secret: SecretConfig): Promise<string> {
  const done: string[] = [];
  for (const place of facts.placesOf(config, secret)) done.push(await restartOne(config, place));
  return done.join("; ");
}

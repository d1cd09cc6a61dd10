/**
 * Every command that a message of the product advises, by what it is: commands of which only arguments vary are one. The
 * first pattern that fits decides. `test/unit/advice/advice.test.ts` finds the commands in the sources and requires that
 * each is here, and that a test takes each from a message with `advised`, and runs it.
 */
export const ADVICE = {
  "rotation adopt": /^rotation adopt /,
  "rotation alpaca add-key": /^(?:rotation )?alpaca add-key/,
  "rotation alpaca forget-key": /^rotation alpaca forget-key/,
  "rotation approve": /^rotation approve/,
  "rotation audit migrate": /^PGUSER=\S+ rotation audit migrate/,
  "rotation audit verify": /^rotation audit verify/,
  "rotation diagnose --fix": /^rotation diagnose .*--fix|^rotation diagnose --fix/,
  "rotation diagnose": /^rotation diagnose/,
  "rotation evidence anchor": /^rotation evidence anchor/,
  "rotation preflight": /^rotation preflight/,
  "rotation remind": /^rotation remind/,
  "rotation rollback": /^rotation rollback /,
  "rotation rotate-now": /^rotation rotate-now /,
  "rotation run --force": /^rotation run .*--force/,
  "rotation run": /^rotation run/,
  "rotation status": /^rotation status/,
  "rotation validate": /^rotation validate/,
  "the same command again": /^rotation …|^PGUSER=\S+$/,
  "pulumi cancel": /^pulumi cancel/,
  "pulumi config rm request": /^pulumi config rm request/,
  "pulumi config set adopted": /^pulumi config set --secret --path 'adopted/,
  "pulumi config set alpacaKeys": /^pulumi config set --secret --path 'alpacaKeys/,
  "pulumi config set connectionPasswords": /^pulumi config set --secret --path '(?:connectionPasswords|…)/,
  "pulumi config set notify": /^pulumi config set --secret --path notify/,
  "pulumi config set request": /^pulumi config set request /,
  "pulumi config set sshPrivateKey": /^pulumi config set --secret sshPrivateKey </,
  "pulumi config set sshKeyPassphrase": /^pulumi config set --secret sshKeyPassphrase/,
  "pulumi config set sslPassword": /^pulumi config set --secret sslPassword/,
  "pulumi config set vaultSecretId": /^pulumi config set --secret vaultSecretId/,
  "pulumi config set --path": /^pulumi config set --path/,
  "pulumi plugin install": /^pulumi plugin install resource /,
  "pulumi stack init": /^pulumi stack init/,
  "pulumi stack ls": /^pulumi stack ls/,
  "pulumi stack select": /^pulumi stack select/,
  "pulumi up --refresh": /^pulumi up --refresh/,
  "pulumi up": /^pulumi up/,
  "npm ci": /^npm ci/,
  "npm run build": /^npm run build/,
  "npm run toolchain": /^npm run toolchain/,
  'eval "$(npm run toolchain)"': /^eval "\$\(npm run/,
  "vault kv enable-versioning": /^vault kv enable-versioning /,
  "vault kv patch": /^vault kv patch /,
  "vault kv undelete": /^vault kv undelete /,
  "vault login": /^vault login/,
  "vault operator unseal": /^vault operator unseal/,
  "vault list sys/quotas": /^vault list sys\/quotas/,
  "vault secrets list": /^vault secrets list/,
  "vault status": /^vault status/,
  "vault token lookup": /^vault token lookup/,
  "vault token renew": /^vault token renew /,
  "aws secretsmanager cancel-rotate-secret": /^aws secretsmanager cancel-rotate-secret /,
  "aws secretsmanager put-secret-value": /^aws secretsmanager put-secret-value /,
  "aws secretsmanager restore-secret": /^aws secretsmanager restore-secret /,
  "aws sso login": /^aws sso login/,
  "aws sts get-caller-identity": /^aws sts get-caller-identity/,
  psql: /^psql /,
  ssh: /^ssh -/,
  "ssh-keyscan": /^ssh-keyscan /,
  "systemctl restart": /^systemctl restart|^… restartCommand|^… \[\.\.\.new Set\(commands\)\]/,
  "kubectl auth can-i": /^…? ?(?:kubectl.*)?auth can-i /,
  "kubectl describe": /^… describe …/,
  "kubectl rollout resume": /^… rollout resume …/,
  timedatectl: /^timedatectl/,
  "rm a torn file": /^rm /,
  "cp a copy of the state": /^cp /,
  "ls of finished states": /^ls -t /,
  "sql: a login role made again": /^CREATE ROLE "?[^;]+; GRANT [^;]+; ALTER ROLE [^;]+ SET role = /,
  "sql: CREATE SCHEMA": /^CREATE SCHEMA AUTHORIZATION /,
  "sql: DROP ROLE": /^DROP ROLE /,
  "sql: RENAME": /^ALTER ROLE \S+ RENAME TO /,
  "sql: CREATEROLE": /^ALTER ROLE \S+ CREATEROLE/,
  "sql: NOSUPERUSER": /^ALTER ROLE \S+ NOSUPERUSER/,
  "sql: VALID UNTIL": /^ALTER ROLE \S+ VALID UNTIL 'infinity'/,
  "sql: CONNECTION LIMIT": /^ALTER ROLE \S+ CONNECTION LIMIT /,
  "sql: NOREPLICATION": /^ALTER ROLE \S+ NOREPLICATION/,
  "sql: REPLICATION": /^ALTER ROLE \S+ REPLICATION/,
  "sql: NOLOGIN": /^ALTER ROLE \S+ NOLOGIN/,
  "sql: LOGIN": /^ALTER ROLE \S+ LOGIN/,
  "sql: a setting of a role": /^ALTER ROLE \S+ (?:IN DATABASE \S+ )?(?:SET|RESET) /,
  "sql: ALTER POLICY": /^ALTER POLICY /,
  "sql: a default": /^ALTER TABLE \S+ ALTER COLUMN /,
  "sql: GRANT rotation_audit_writer": /^GRANT rotation_audit_writer TO /,
  "sql: GRANT SET ON PARAMETER": /^GRANT SET ON PARAMETER /,
  "sql: GRANT CONNECT": /^GRANT CONNECT ON DATABASE /,
  "sql: GRANT ADMIN of the owner": /^GRANT \S+ TO \S+ WITH ADMIN TRUE/,
  "sql: GRANT ADMIN of a login": /^GRANT \S+ TO \S+ WITH ADMIN OPTION/,
  "sql: GRANT the owner": /^GRANT \S+ TO (?:\S+ WITH INHERIT TRUE, SET TRUE|……)$/,
  "sql: GRANT pg_signal_backend": /^GRANT pg_signal_backend TO /,
  "sql: GRANT a membership": /^GRANT \S+ TO \S+$/,
  "sql: REVOKE a membership": /^REVOKE \S+ FROM /,
  "sql: REASSIGN OWNED": /^REASSIGN OWNED BY /,
  "sql: credcheck": /^ALTER SYSTEM SET credcheck\./,
  "sql: pg_reload_conf": /^SELECT pg_reload_conf\(\)/,
  "sql: who sets read only": /^SELECT source, sourcefile FROM pg_settings/,
  "sql: who holds the log": /^SELECT pid, usename, state, query FROM pg_stat_activity/,
  "sql: who uses a login": /^SELECT pid, application_name, client_addr, backend_start FROM pg_stat_activity/,
  "pulumi config set a receiver": /^pulumi config set --secret --path events\.ops\.url/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type Advice = keyof typeof ADVICE;

/** What a command is; undefined for one that is in no row. */
export const adviceOf = (command: string): Advice | undefined =>
  (Object.keys(ADVICE) as Advice[]).find((id) => ADVICE[id].test(command));

/** Commands that a test cannot run, and why. */
export const BY_HAND: Partial<Record<Advice, string>> = {
  "aws sso login": "needs a browser and an identity provider",
  "kubectl auth can-i": "needs a cluster: test/field/kubernetes.field.ts, which has not passed yet",
  "kubectl describe":
    "needs a cluster with the operator: test/field/external-secrets.field.ts, which has not passed yet",
  "kubectl rollout resume": "needs a cluster: test/field/kubernetes.field.ts, which has not passed yet",
  "sql: credcheck": "needs the extension credcheck, which is in no package here",
  "aws secretsmanager cancel-rotate-secret":
    "the emulator cancels only a rotation by a Lambda function, which it cannot run",
  "npm ci": "installs this checkout anew: every run of CI begins with it",
  "npm run build": "rewrites dist/ while other tests use it: every run of the tests begins with it",
  "pulumi config set a receiver": "its value is an address of one's own; test/engine/events.test.ts sets three of them",
  timedatectl: "needs systemd, and changes nothing",
};

/** Spans that an expression alone fills, by file: what it is in a message. */
export const FILLED: Readonly<Record<string, readonly Advice[] | string>> = {
  "audit/connection.ts": ["psql"],
  "audit/log.ts": ["sql: GRANT rotation_audit_writer"],
  "audit/migrate.ts": ["sql: GRANT rotation_audit_writer"],
  "cli/operate/diagnose.ts": ["rotation rollback"],
  "cli/operate/adopt.ts": "a key of a document",
  "cli/operate/proven.ts": "a field",
  "cli/operate/recover.ts": ["pulumi cancel"],
  "cli/operate/events/slack.ts": ["rotation run", "rotation validate", "rotation diagnose", "rotation alpaca add-key"],
  "cli/operate/torn-files.ts": ["rotation diagnose --fix"],
  "cli/render/plan.ts": "a stack, a resource, a headline",
  "cli/render/status.ts": ["rotation alpaca add-key"],
  "cli/operate/step-words.ts": "a command that a step runs, a field",
  "components/preflight/audit-log.ts": ["sql: GRANT rotation_audit_writer"],
  "components/phases.ts": "a command that a step runs",
  "components/preflight/services.ts": "the check that was run there",
  "components/restart/hooks.ts": "before or after",
  "components/restart/restart.ts": "a field",
  "components/shape-change.ts": "a key of a document",
  "components/stored-values.ts": "a key of a document",
  "config/answer-schema.ts": "a parameter",
  "core/health.ts": "a field, a command that was run",
  "core/market-clock.ts": "a key",
  "core/store-content.ts": "a key",
  "core/vault-needs.ts": "a mount",
  "kinds/alpaca-key/diagnose.ts": ["rotation rollback"],
  "kinds/postgres-password/diagnose.ts": ["rotation adopt"],
  "kinds/postgres-password/preflight/login-access.ts": ["sql: GRANT CONNECT"],
  "kinds/postgres-password/preflight/login-difference.ts": [
    "sql: a setting of a role",
    "sql: a login role made again",
    "sql: REVOKE a membership",
  ],
  "kinds/postgres-password/preflight/session-user.ts": ["sql: ALTER POLICY", "sql: a default"],
  "kinds/postgres-password/unequal-login.ts": ["sql: a setting of a role"],
  "policy/rules/commands.ts": "a part of a command",
  "steps/dry-run.ts": "the dry run",
  "stores/entries.ts": "a key of a document",
  "stores/vault/content.ts": "a key",
};

/** What is found in a message and is no advice, and why. */
export const NOT_ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^clients\/host-file\.ts: /, "a script for a host"],
  [
    /^cli\/(?:commands\/[\w-]+|program)\.ts: .*(?:--stack (?:prod|paper)|-s prod|--rotated-by|allowed_signers)/,
    "an example of --help",
  ],
  [/^cli\/commands\/run\.ts: rotation run$/, "--help: what a request is asked for with"],
  [/^cli\/commands\/report\.ts: rotation report/, "an example of --help"],
  [/^cli\/operate\/validate\.ts: rotation logged/, "a point of the checklist"],
  [/^cli\/operate\/calendar\.ts: rotation calendar/, "the name of a calendar"],
  [/^cli\/operate\/reminders\/words\.ts: rotation planned/, "a title"],
  [/^cli\/operate\/reminders\/words\.ts: rotation remind/, "says who sent it"],
  [/^cli\/operate\/events\/(?:message|timers)\.ts: … command \?\?/, "passes on the command of a reminder or an event"],
  [/^core\/events\.ts: … null/, "an event that asks for nothing"],
  [/^audit\/render\/\w+\.ts: rotation (?:report|log)/, "a title"],
  [/^cli\/perform\.ts: … \["rotation"/, "the command that was given"],
  [/^cli\/operate\/stack\.ts: … \(words\)/, "makes the commands of findings"],
  [/^components\/restart-rights\.ts: (?:kubectl says|sudo|… words|systemctl)/, "the script that asks, not a message"],
  [/^components\/restart-command\.ts: kill /, "what the update runs"],
  [/^components\/restart\/sync\.ts: kubectl printed/, "a sentence"],
  [/^components\/preflight\/calendar\.ts: rotation status$/, "the name of a command"],
  [/^stores\/(?:aws|vault)\/client\.ts: rotation adopt$/, "the name of a command"],
  [/^components\/restart-command\.ts: systemctl restart/, "the default, which findings name"],
  [/^dev\/toolchain\/main\.ts: npm run --silent/, "inside of eval"],
  [/: … (?:z\.string|at\(probe)/, "a schema"],
  [/: SET ROLE (?:NONE|…)$/, "what a service does"],
  [/lease\.ts: ALTER ROLE "\{\{name\}\}"/, "a statement of Vault"],
];

/** In the middle of a sentence a command has no end; these stay so, because steps of existing stacks have them as input. */
export const UNDELIMITED: readonly RegExp[] = [
  /^kinds\/postgres-password\/asks\.ts: pulumi config set --secret --path 'adopted/,
  /^audit\/render\/html\.ts: rotation audit verify/,
  /^dev\/toolchain\/main\.ts: npm run toolchain/,
];

/** A command of a message, as it is printed there. @throws Error if the message does not advise it */
export function advised(id: Advice, message: string): string {
  const spans = [...message.replaceAll(/\s+/g, " ").matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
  const lines = message.split("\n").map((line) => line.replace(/^[\s>]*(?:Next: )?/, "").trim());
  const found = [...spans, ...lines].find((command) => adviceOf(command) === id);
  if (found === undefined) throw new Error(`the message advises no ${id}:\n${message}`);
  return found;
}

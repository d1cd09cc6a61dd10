import { join, relative } from "node:path";
import type { Lab } from "../../../dev/lab/lab";
import type { Stack } from "../../../dev/lab/stack";
import { eachFile } from "../../unit/leaks/files";
import { LeakSearch, type Secrets } from "../../unit/leaks/forms";
import { MARK } from "../../unit/leaks/marked";
import type { Seen } from "../../unit/leaks/processes";
import { keyLines, stateSecrets } from "./state-secrets";

/** A lab and what was seen of it from outside. */
export interface HuntArgs {
  readonly lab: Lab;
  readonly stack: Stack;
  /** What commands printed. */
  readonly printed: readonly string[];
  readonly processes: Seen;
}

/** What was searched, and what was found. */
export interface HuntResult {
  readonly secrets: number;
  readonly files: number;
  readonly bytes: number;
  readonly processes: number;
  /** "the audit log holds the adopted database/password" */
  readonly found: readonly string[];
}

/**
 * Searches everything a lab leaves behind for every credential there ever was: each file of the lab and of its stack
 * (state, history, config, plans, logs of servers and services, the database's own files), what was printed, command
 * lines and environments, audit rows, Slack messages and mail.
 */
export async function hunt(args: HuntArgs): Promise<HuntResult> {
  const { lab, stack, printed, processes } = args;
  const secrets: Secrets = { ...markOf(lab), ...labSecrets(lab), ...(await stateSecrets(stack)) };
  const search = new LeakSearch(secrets);
  const found: string[] = [];
  let [files, bytes] = [0, 0];
  const look = (place: string, text: string | Buffer, mayHold: (secret: string) => boolean = () => false) => {
    bytes += text.length;
    for (const name of search.in(text)) {
      if (!mayHold(secrets[name] ?? "")) found.push(`${place} holds ${name}`);
    }
  };
  for await (const file of eachFile(lab.dir)) {
    files += 1;
    look(relative(lab.dir, file.path), file.bytes, ownedBy(lab, file.path));
  }
  look("what was printed", printed.join("\n"));
  look("a command line", processes.commandLines);
  look("an environment", environmentsOf(processes), mayComeByEnvironment(stack));
  for (const [place, text] of Object.entries(await messagesOf(lab))) look(place, text);
  return { secrets: Object.keys(secrets).length, files, bytes, processes: processes.count, found };
}

/** A lab without the mark stands beside labs that have it: their runs' environments hold it, as they may. */
const markOf = ({ postgres }: Lab): Secrets =>
  postgres.adminPassword.includes(MARK) ? { "a text with the lab's mark": MARK } : {};

/** A service's own config has its own credential of the store, and nothing else. */
function ownedBy({ hosts }: Lab, path: string): (secret: string) => boolean {
  const services = hosts.flatMap(({ dir, services: on }) => on.map((service) => ({ ...service, dir })));
  const owner = services.find(({ dir, name }) => path === join(dir, `${name}.json`));
  if (owner === undefined) return () => false;
  const { store } = owner.config;
  const own = store.kind === "vault" ? store.token : store.secretAccessKey;
  return (secret) => secret === own;
}

/** The engine hands the config to the program as `PULUMI_CONFIG`, secrets included: its own way, and none of ours. */
const environmentsOf = ({ environments }: Seen) => environments.replace(/^PULUMI_CONFIG=.*$/gm, "");

/** The run's own credentials come by its environment. */
function mayComeByEnvironment({ env }: Stack): (secret: string) => boolean {
  const own = Object.values(env);
  return (secret) => own.some((value) => value.includes(secret));
}

async function messagesOf({ postgres, slack, smtp }: Lab): Promise<Record<string, string>> {
  const log = await postgres.query("SELECT to_regclass('secret_rotation_log') IS NOT NULL AS made");
  const rows = log.rows[0].made ? (await postgres.query("SELECT * FROM secret_rotation_log")).rows : [];
  return {
    "the audit log": JSON.stringify(rows),
    "a Slack message": JSON.stringify(slack.messages()),
    // Quoted-printable breaks long lines.
    "a mail": smtp
      .messages()
      .flatMap(({ raw }) => [raw, raw.replaceAll("=\r\n", "")])
      .join("\n"),
  };
}

/** Every credential that the lab has made; a role's verifier is none. */
export function labSecrets(lab: Lab): Secrets {
  const found: Record<string, string> = {
    "the administrator's password": lab.postgres.adminPassword,
    "Vault's root token": lab.openbao.rootToken,
    "the mail server's password": lab.smtp.password,
    "Slack's webhook": lab.slack.url,
  };
  for (const [name, value] of Object.entries(lab.env)) {
    if (/TOKEN|PASSWORD|SECRET/.test(name)) found[`the run's ${name}`] = value;
  }
  for (const [index, { key }] of (lab.issuer?.made ?? []).entries()) found[`API key ${index + 1}`] = key;
  for (const [index, { keyId, secretKey }] of [...lab.alpaca.paper.made, ...lab.alpaca.live.made].entries()) {
    found[`the id of Alpaca key ${index + 1}`] = keyId;
    found[`the secret of Alpaca key ${index + 1}`] = secretKey;
  }
  for (const [name, value] of Object.entries(lab.adopted)) found[`the adopted ${name}`] = value;
  for (const { name, config } of lab.hosts.flatMap((host) => host.services)) {
    found[`the store's credential of ${name}`] =
      config.store.kind === "vault" ? config.store.token : config.store.secretAccessKey;
  }
  for (const [index, line] of keyLines(lab.config.sshPrivateKey).entries())
    found[`line ${index + 1} of the SSH key`] = line;
  return found;
}

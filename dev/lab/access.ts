import { quoted } from "../../core/shell-word";
import type { DemoPlatform } from "./demo/platform";

/** How to reach everything of a lab: what `npm run lab -- --json` prints. */
export interface Access {
  /** What a POSIX shell reads to work on the lab, with the pipeline's own rights. */
  readonly envFile: string;
  /** Where `pulumi` and `rotation` run. */
  readonly projectDir: string;
  readonly stack: string;
  /** The administrator. */
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  /** `role` is the platform's own, `secret` its password's name in the config, `password` the one in use at the start. */
  readonly databases: readonly {
    readonly name: string;
    readonly role: string;
    readonly secret: string;
    readonly password: string;
  }[];
  /** `token` is the administrator's. For AWS `address` is the endpoint, and the rest is in the environment. */
  readonly store: {
    readonly kind: "vault" | "aws";
    readonly address: string;
    readonly token: string | null;
    readonly mount: string | null;
    readonly environment: string;
  };
  /** `health` is an address; `host` the name of a host. */
  readonly services: readonly { readonly name: string; readonly health: string; readonly host: string }[];
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    readonly user: string;
  }[];
  /** Alpaca's paper API; `POST ${admin}/paper/create-key` makes a pair, as its dashboard does. */
  readonly alpaca: { readonly paper: string; readonly admin: string };
  /** A webhook: POST sends a message, GET answers all that came. */
  readonly slack: string;
  /** `host:port` of a mail server that delivers nothing. */
  readonly smtp: string;
  /** SIGINT or SIGTERM ends this process, and removes everything. */
  readonly pid: number;
}

/** How to reach everything of a lab. */
export function accessOf({ lab, stack }: DemoPlatform, envFile: string): Access {
  const { postgres, openbao, moto, store, environment, adopted } = lab;
  return {
    envFile,
    projectDir: stack.projectDir,
    stack: stack.name,
    postgres: {
      host: postgres.host,
      port: postgres.port,
      user: postgres.adminUser,
      password: postgres.adminPassword,
    },
    databases: lab.databases.map(({ name, role, secretName }) => ({
      name,
      role,
      secret: secretName,
      password: adopted[secretName] ?? "",
    })),
    store:
      store.kind === "vault"
        ? { kind: "vault", address: openbao.address, token: openbao.rootToken, mount: openbao.mount, environment }
        : { kind: "aws", address: moto?.address ?? "", token: null, mount: null, environment },
    services: lab.hosts.flatMap(({ name: host, services }) =>
      services.map(({ name, healthUrl }) => ({ name, health: healthUrl, host })),
    ),
    hosts: lab.hosts.map(({ name, address, port, user }) => ({ name, address, port, user })),
    alpaca: { paper: lab.alpaca.paper.url, admin: lab.alpaca.adminUrl },
    slack: lab.slack.url,
    smtp: `${lab.smtp.host}:${lab.smtp.port}`,
    pid: process.pid,
  };
}

/** The same for people. */
export function accessLines(access: Access): string[] {
  const { postgres, store, alpaca } = access;
  const databases = access.databases.map(({ name }) => name).join(", ");
  return [
    "In another shell:",
    `  . ${quoted(access.envFile)}`,
    `  cd ${quoted(access.projectDir)}`,
    "  pulumi preview --diff                   # the first update: adopts the passwords in use",
    "  pulumi up --yes                         # or: rotation run",
    "  rotation status",
    "  pulumi config set --path secret-rotation:lab.clock 2027-02-20T02:00:00Z   # 89 days later",
    "",
    `PostgreSQL  ${postgres.host}:${postgres.port}, databases ${databases}; psql is the pipeline's login, ${postgres.user} the administrator`,
    `Store       ${store.kind === "vault" ? `OpenBao at ${store.address}; bao and vault have the pipeline's token` : `AWS Secrets Manager (emulated) at ${store.address}; AWS_* are set`}`,
    ...access.services.map(({ name, health, host }) => `Service     ${name} on ${host}: curl ${health}`),
    ...access.hosts.map(({ name, address, port, user }) => `Host        ${name}: ssh ${user}@${address} -p ${port}`),
    `Alpaca      ${alpaca.paper}; a new key pair: curl -X POST ${alpaca.admin}/paper/create-key`,
    `Slack       ${access.slack} (POST sends, GET shows what came)`,
    `E-mail      ${access.smtp}`,
    "",
    `Ctrl-C, or kill ${access.pid}, ends it and removes everything.`,
  ];
}

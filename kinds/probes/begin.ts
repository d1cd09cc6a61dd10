import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { probeSession } from "../../clients/probe-answer";
import type { Platform } from "../../components/platform";
import { probeOf } from "../../components/service-probe";
import { stepFile } from "../../components/step-command";
import { type Config, type SecretConfig, traitsOf } from "../../config";
import type { Decision } from "../../core/decide";
import { probeAt } from "../../core/health";
import { sshKeyOf } from "../../core/ssh-key";
import type { Kind } from "../kind";
import type { probedSecret, probeOrder } from "./order";
import { probeSaid } from "./said";

/** What Pulumi's SDK exits with after an error that was logged for people. */
const LOGGED = 32;

/** Milliseconds between two looks at whether this program still has its parent. */
const PARENT_PAUSE = 1000;

/** Modes of a rotation that waits for nothing: stopping it would be worse. */
const STOPS: readonly Decision["mode"][] = ["rotation"];

/**
 * The probes of an update: a process beside the engine, which ends when this one does. It is told what to probe over its
 * standard input, since that holds credentials.
 */
export class Probes {
  private child: ChildProcess | undefined;

  constructor(
    private readonly config: Config & { readonly probe: NonNullable<Config["probe"]> },
    private readonly platform: Pick<Platform, "audit" | "store">,
  ) {}

  /** Begins with a secret that this update moves to another credential. */
  add(secret: SecretConfig, { action, mode }: Pick<Decision, "action" | "mode">, kind: Pick<Kind, "probed">): void {
    if (action === undefined || action === "REVOKE" || mode === "adoption" || mode === "repair") return;
    this.child ??= this.begin();
    const logins = kind.probed?.(secret, this.config);
    this.tell({
      name: secret.name,
      ...(logins === undefined ? {} : { logins }),
      firstMayBeRefused: !(traitsOf(secret).overlaps && mode === "rotation"),
      stops: STOPS.includes(mode),
      services: [...secret.restart],
    } satisfies z.input<typeof probedSecret>);
  }

  private begin(): ChildProcess {
    const { config, platform } = this;
    const child = spawn(process.execPath, [join(process.cwd(), stepFile("probe"))], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.on(
      "error",
      () => void pulumi.log.warn("the probes could not begin: this update's rows will lack their figures"),
    );
    child.on(
      "exit",
      (code) => code === 0 || void pulumi.log.warn("the probes ended early: this update's rows may lack their figures"),
    );
    child.stdin.on("error", () => undefined);
    this.child = child;
    const { rate, threshold, limit } = config.probe;
    const privateKey = sshKeyOf(config);
    this.tell({
      ...{ session: probeSession(platform.audit.stack), rate, threshold, limit },
      store: platform.store.reference,
      ...(privateKey === undefined ? {} : { privateKey }),
      services: servicesOf(config),
    } satisfies z.input<typeof probeOrder>);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { stop } = probeSaid.parse(JSON.parse(line));
      // What runs ends; nothing further begins.
      void pulumi.log.error(stop).finally(() => process.exit(LOGGED));
    });
    // An engine that was killed ends nobody's standard input.
    const parent = process.ppid;
    setInterval(() => process.ppid === parent || child.kill(), PARENT_PAUSE).unref();
    // The update may end without it.
    child.unref();
    for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?(): void }).unref?.();
    return child;
  }

  private tell(line: object): void {
    this.child?.stdin?.write(`${JSON.stringify(line)}\n`);
  }
}

const servicesOf = ({ services, hosts }: Config): z.input<typeof probeOrder>["services"] =>
  Object.entries(services).map(([name, service]) => ({
    name,
    places:
      service.hosts.length === 0
        ? [{ probe: probeAt(probeOf(service), "localhost") }]
        : service.hosts.flatMap((host) => {
            const place = hosts[host];
            return place === undefined
              ? []
              : [{ host: { name: host, ...place }, probe: probeAt(probeOf(service), place.address) }];
          }),
  }));

import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { AlpacaPlaces } from "../alpaca/places";
import type { Purpose } from "../alpaca/verify";
import type { AlpacaKeyConfig, KeyPair } from "../config";
import { lastFour } from "../rotation/key-label";
import { graceEndsAt } from "../rotation/next-state";
import type { Policy } from "../rotation/policy";
import { activation, activeGeneration, other, previousGeneration, type SecretState } from "../rotation/state";
import { AuditRecord } from "./audit-record";
import { foreignPairAdvice } from "./foreign-advice";
import { type Platform, servicesOf } from "./platform";
import { Preflight } from "./preflight";
import { restartServices } from "./rolling-restart";
import { describeSecret } from "./secret-outputs";
import type { StoreEntry } from "./secret-store";
import { answerOf, stepCommand } from "./step-command";
import { storeUnchanged } from "./store-unchanged";

export interface AlpacaKeyArgs {
  /** The secret as the config declares it. */
  readonly config: AlpacaKeyConfig;
  /** The state this update brings the secret to. */
  readonly state: SecretState;
  /** Whether this update does a step of the secret. */
  readonly acts: boolean;
  /** Whether a request says to overwrite what somebody else wrote into the store. */
  readonly force: boolean;
  readonly policy: Policy;
  readonly platform: Platform;
  readonly places: AlpacaPlaces;
  /** Milliseconds that a new pair may answer 401. */
  readonly activationWait: number;
  /** The pair that the state makes active. */
  readonly active: KeyPair;
  /** The pair in the other slot, where the config still has it. */
  readonly previous: KeyPair | undefined;
}

/** What `store-versions` answers for one path. */
interface StoredVersion {
  readonly path: string;
  readonly version: string;
}

/**
 * An Alpaca key pair through one whole rotation: preflight, proof by Alpaca, store, restarts, dry run, mark for the pair
 * before, audit row. Each part waits for the one before. The first update with the pair in use alone adopts it: proves
 * it, compares it with the store and writes nothing but the audit row.
 */
export class AlpacaKey extends pulumi.ComponentResource {
  /** The secret's state, resolved once all of it is true and in the audit log. */
  readonly state: pulumi.Output<SecretState>;
  /** What the stack says of the secret: strategy, label, account, paths, versions and dates. */
  readonly description: pulumi.Output<Record<string, unknown>>;
  /** The audit row: what comes after this secret depends on it. */
  readonly last: pulumi.Resource;

  private readonly trigger: string;

  constructor(
    private readonly name: string,
    private readonly args: AlpacaKeyArgs,
    opts: pulumi.ComponentResourceOptions = {},
  ) {
    super("secret-rotation:index:AlpacaKey", name, {}, opts);
    this.trigger = activation(args.state);

    const preflight = this.createPreflight(opts.dependsOn);
    const before = this.createVersionsBefore(preflight);
    const verified = this.createVerified(before);
    const unchanged = this.adoptedOnly ? undefined : this.createUnchanged(verified);
    const stored = unchanged && this.createStored(unchanged);
    this.description = this.describe(stored ?? before, verified);
    const done = stored === undefined ? verified : this.createRollout(stored, before);
    const audit = this.createAudit([preflight, ...(unchanged === undefined ? [] : [unchanged])], done);

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  /** The pair in use is the only one there ever was: nothing moves. */
  private get adoptedOnly(): boolean {
    return previousGeneration(this.args.state) === undefined;
  }

  private get purpose(): Purpose {
    const { state } = this.args;
    if (this.adoptedOnly) return "adoption";
    if (state.endedEarly !== undefined) return "repair";
    return state.activatedBy === undefined ? "rotation" : "rollback";
  }

  private get paths(): readonly string[] {
    return [this.args.config.keyIdPath, this.args.config.secretKeyPath];
  }

  private entries({ keyId, secretKey }: KeyPair): StoreEntry[] {
    const { config } = this.args;
    return [
      { path: config.keyIdPath, value: pulumi.secret(keyId) },
      { path: config.secretKeyPath, value: pulumi.secret(secretKey) },
    ];
  }

  private createPreflight(dependsOn: pulumi.ResourceOptions["dependsOn"]): local.Command {
    const { config, state, platform, force, active } = this.args;
    const mode = this.purpose === "rotation" && state.emergency ? "emergency" : this.purpose;
    // The new pair too: somebody may have written it by hand before it was supplied.
    const current = mode === "adoption" ? this.entries(active) : this.storedBefore;
    const compares = current.length > 0 && (mode === "adoption" || mode === "rotation");
    return new Preflight(
      `${this.name}-preflight`,
      {
        mode,
        secret: config.name,
        store: platform.store.reference,
        paths: this.paths,
        audit: platform.audit.connection,
        services: servicesOf(Object.keys(platform.services), platform.services),
        hosts: platform.hosts,
        privateKey: platform.privateKey,
        alpaca: platform.marketClock,
        allowOpenMarket: platform.allowOpenMarket,
        current: compares ? { entries: current } : undefined,
        whenForeign: this.whenForeign,
        force,
        trigger: this.trigger,
      },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    ).command;
  }

  /** What the store may hold before it is written; nothing where the config no longer has the pair before. */
  private get storedBefore(): StoreEntry[] {
    const { active, previous } = this.args;
    return previous === undefined ? [] : [...this.entries(previous), ...this.entries(active)];
  }

  private get whenForeign(): string {
    const { config, state, active } = this.args;
    if (!this.adoptedOnly) {
      return foreignPairAdvice(config.name, this.purpose === "rollback" ? activeGeneration(state) : undefined);
    }
    return (
      `expected the store to hold the pair ${active.label}, the one in use. If that is a new pair, give the one in use as ` +
      `well: alpacaKeys["${config.name}"].previous`
    );
  }

  /** What the store has before it is written: the versions that the deprecation mark names. */
  private createVersionsBefore(dependsOn: pulumi.Resource): local.Command {
    const input = { store: this.args.platform.store.reference, paths: this.paths };
    return stepCommand(
      `${this.name}-versions-before`,
      { step: "store-versions", input, trigger: this.trigger, runOnInputChange: false },
      { parent: this, dependsOn },
    );
  }

  /** Proves the pair before anything is written; a pair that changes is proven again. */
  private createVerified(dependsOn: pulumi.Resource): local.Command {
    const { config, places, active, previous, activationWait } = this.args;
    return stepCommand(
      `${this.name}-verify-alpaca`,
      {
        step: "verify-alpaca",
        input: {
          places,
          purpose: this.purpose,
          pair: secretPair(active),
          ...(previous === undefined ? {} : { before: secretPair(previous) }),
          ...(config.account === undefined ? {} : { account: config.account }),
          activationWait,
        },
        trigger: this.trigger,
        progress: true,
      },
      { parent: this, dependsOn },
    );
  }

  private createUnchanged(dependsOn: pulumi.Resource): local.Command {
    const { platform, force } = this.args;
    return storeUnchanged(
      this.name,
      {
        store: platform.store.reference,
        before: this.storedBefore,
        after: [],
        whenForeign: this.whenForeign,
        force,
        trigger: this.trigger,
      },
      { parent: this, dependsOn },
    );
  }

  private createStored(dependsOn: pulumi.Resource): local.Command {
    const { state, acts, platform, active } = this.args;
    return platform.store.write(
      this.name,
      {
        entries: this.entries(active),
        generation: activeGeneration(state),
        slot: state.active,
        request: state.activatedBy,
        trigger: this.trigger,
        acts,
      },
      { parent: this, dependsOn },
    );
  }

  /** Restarts, dry run, and the mark for the pair before. */
  private createRollout(stored: local.Command, before: local.Command): pulumi.Resource {
    const { config, platform } = this.args;
    const options = { parent: this, dependsOn: stored };
    const restarted = restartServices(this.name, config.restart, platform, this.trigger, options);
    return this.createMarks(before, this.createDryRun(restarted.last));
  }

  private createDryRun(dependsOn: pulumi.Resource): pulumi.Resource {
    const { config, state, platform, active, previous } = this.args;
    if (config.dryRun === undefined) return dependsOn;
    const { command, service, timeout } = config.dryRun;
    const host = servicesOf([service], platform.services)[0]?.config.hosts[0];
    return stepCommand(
      `${this.name}-dry-run`,
      {
        step: "dry-run",
        input: {
          command,
          service,
          timeout: Math.ceil(timeout / 1000),
          ...(host === undefined ? {} : { host: { name: host, ...platform.hosts[host] } }),
          ...(platform.privateKey === undefined ? {} : { privateKey: platform.privateKey }),
          wayBack: `\`pulumi config set request '{"id":"<new>","secret":"${config.name}","activate":${previousGeneration(state)},"reason":"..."}'\``,
          secrets: [active, ...(previous === undefined ? [] : [previous])].map(secretPair),
        },
        trigger: this.trigger,
        runOnInputChange: false,
      },
      { parent: this, dependsOn },
    );
  }

  /** The runbook's `status=deprecated`, with which version and until when; `active` again once the pair before is gone. */
  private createMarks(before: local.Command, dependsOn: pulumi.Resource): pulumi.Resource {
    const { state, policy, platform } = this.args;
    const graceEnd = graceEndsAt(state, policy);
    const rotated = { rotation_date: new Date(graceEnd.getTime() - policy.gracePeriod).toISOString() };
    const deprecated = {
      ...rotated,
      status: "deprecated",
      deprecated_label: String(state.labels[other(state.active)]),
      grace_until: graceEnd.toISOString(),
    };
    const saysOf = (path: string) =>
      answerOf(before).apply(({ entries }): Record<string, string> => {
        if (state.revoked) return { ...rotated, status: "active" };
        const version = (entries as StoredVersion[] | undefined)?.find((entry) => entry.path === path)?.version;
        return version === undefined ? deprecated : { ...deprecated, deprecated_version: version };
      });
    const marks = this.paths.map((path) => ({ path, says: saysOf(path) }));
    return platform.store.annotate(this.name, { marks, trigger: this.trigger }, { parent: this, dependsOn });
  }

  private describe(stored: local.Command, verified: local.Command): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform, active } = this.args;
    const more = answerOf(verified).apply(
      ({ account }): Record<string, unknown> => ({
        key: { label: active.label, keyId: lastFour(active.keyId) },
        ...(account === undefined ? {} : { account }),
      }),
    );
    const written = answerOf(stored);
    return describeSecret({
      ...{ kind: config.kind, strategy: "supplied-key", store: platform.store.kind },
      ...{ state, policy, written, more },
    });
  }

  private createAudit(asked: readonly [local.Command, ...local.Command[]], dependsOn: pulumi.Resource): AuditRecord {
    const { config, state, platform } = this.args;
    return new AuditRecord(
      `${this.name}-audit`,
      {
        target: platform.audit,
        secret: config.name,
        state,
        startedAt: answerOf(asked[0]).apply(({ startedAt }) => String(startedAt ?? "")),
        outputs: pulumi.all([this.description, ...asked.map(answerOf)]).apply(([description, ...steps]) => ({
          ...description,
          overrides: steps.flatMap(({ overrides }) => (overrides ?? []) as string[]),
        })),
        clock: platform.clock,
      },
      { parent: this, dependsOn },
    );
  }
}

const secretPair = ({ label, keyId, secretKey }: KeyPair) => ({
  label,
  keyId: pulumi.secret(keyId),
  secretKey: pulumi.secret(secretKey),
});

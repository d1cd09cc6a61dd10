import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import { describeSecret } from "../../components/secret-outputs";
import { servicesOf } from "../../components/service-check";
import { shapeOutputs } from "../../components/shape-change";
import type { DeclaredEntry, Marks, Stored } from "../../components/stack-store";
import { answerOf, stepCommand } from "../../components/step-command";
import type { StoreGuard } from "../../components/store-unchanged";
import { StoredCredential, type StoredCredentialArgs } from "../../components/stored-credential";
import { type AlpacaKeyConfig, type KeyPair, pathsOf } from "../../config";
import { graceEndsAt } from "../../core/deadlines";
import type { DocumentShape, KeptShape } from "../../core/document";
import { hasDocument } from "../../core/document-settings";
import type { Fingerprinted } from "../../core/fingerprints";
import { lastFour } from "../../core/key-label";
import { activeGeneration, other, previousGeneration, type SecretState } from "../../core/state";
import { isDocument, writtenBefore } from "../../stores/entries";
import type { StoreEntry } from "../../stores/store";
import { alpacaKeyAsks } from "./asks";
import { pairEntries, pairShapes } from "./pairs";
import type { AlpacaPlaces } from "./places";
import type { Purpose } from "./verify";

export interface AlpacaKeyArgs extends StoredCredentialArgs {
  readonly config: AlpacaKeyConfig;
  readonly places: AlpacaPlaces;
  /** Milliseconds that a new pair may answer 401. */
  readonly activationWait: number;
  /** The pair that the state makes active. */
  readonly active: KeyPair;
  /** The pair in the other slot, if the config still has it. */
  readonly previous: KeyPair | undefined;
  /** The shape of the document as the last finished update left it; undefined if there was none. */
  readonly kept?: KeptShape | undefined;
}

/** The output of `store-versions` for one path. */
interface StoredVersion {
  readonly path: string;
  readonly version: string;
}

/**
 * An Alpaca key pair through one whole rotation: preflight, proof by Alpaca, store, restarts, dry run, mark for the
 * previous pair, audit row. Each part waits for the previous one. The first update with the pair in use alone adopts it:
 * it proves the pair, compares it with the store and writes only the audit row, and the document if the config has one.
 */
export class AlpacaKey extends StoredCredential<AlpacaKeyArgs> {
  readonly state: pulumi.Output<SecretState>;
  /** It includes label and account. */
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = alpacaKeyAsks;

  constructor(name: string, args: AlpacaKeyArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("AlpacaKey", name, args, opts);

    const preflight = this.lookFirst();
    const before = this.createVersionsBefore(this.begin(preflight, this.entries(args.active)));
    const verified = this.createVerified(before);
    const unchanged = this.writes ? this.createUnchanged(this.storeGuard, verified) : undefined;
    const stored = unchanged && this.createStored(this.entries(args.active, 1), this.storeGuard, unchanged);
    this.description = this.describe(stored?.answer ?? answerOf(before), verified);
    const done = this.createDone(stored, before, verified);
    const steps = [preflight, ...(unchanged === undefined ? [] : [unchanged])] as const;
    const audit = this.createAudit(steps, done, stored?.answer, this.fingerprintsOf(this.fingerprinted));

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  /** Both halves of each pair that the config has. */
  private get fingerprinted(): pulumi.Output<Fingerprinted>[] {
    const { state, active, previous } = this.args;
    const pairs = [
      { generation: activeGeneration(state), pair: active },
      ...(previous === undefined ? [] : [{ generation: state.slots[other(state.active)], pair: previous }]),
    ];
    return pairs.flatMap(({ generation, pair }) =>
      (["keyId", "secretKey"] as const).map((part) =>
        pulumi.secret({ generation, part, username: null, value: pair[part] }),
      ),
    );
  }

  /** The pair in use is the only one so far: no service reads another one afterwards. */
  private get adoptedOnly(): boolean {
    return previousGeneration(this.args.state) === undefined;
  }

  /** A document may lack its extras, or be new beside the values: services are moved to it before any rotation. */
  private get writes(): boolean {
    return !this.adoptedOnly || hasDocument(this.args.config);
  }

  private get purpose(): Purpose {
    return this.mode === "emergency" ? "rotation" : this.mode;
  }

  private get paths(): readonly string[] {
    return pathsOf(this.args.config);
  }

  private get shapes(): readonly DocumentShape[] {
    return pairShapes(this.args.config, this.args.kept);
  }

  /** The pair in the store. @param shapes only so many of a document's shapes. Default: all that the store may hold */
  private entries(pair: KeyPair, shapes?: number): DeclaredEntry[] {
    return pairEntries(this.args.config, pair, this.shapes.slice(0, shapes)).map(hidden);
  }

  private lookFirst(): local.Command {
    const { state, active } = this.args;
    // The new pair too: it may have been written by hand before it was supplied.
    const known = this.adoptedOnly ? this.entries(active) : this.storedBefore;
    const entries = writtenBefore(known, this.args.config, this.args.kept);
    return this.createPreflight(entries.length === 0 ? undefined : { generation: activeGeneration(state), entries });
  }

  /** What the store may hold before it is written; nothing if the config no longer has the previous pair. */
  private get storedBefore(): DeclaredEntry[] {
    const { active, previous } = this.args;
    return previous === undefined ? [] : [...this.entries(previous), ...this.entries(active)];
  }

  private get storeGuard(): StoreGuard {
    const { active, previous } = this.args;
    const known = [...(previous === undefined ? [] : this.entries(previous)), ...this.entries(active)];
    return { known, whenForeign: this.whenForeign };
  }

  private get whenForeign(): string {
    const { config, state, platform } = this.args;
    return this.asks.whenForeign(config, { mode: this.mode, state, stack: platform.audit.stack }, undefined);
  }

  /** The store's versions before it is written, which the deprecation mark names. */
  private createVersionsBefore(dependsOn: After): local.Command {
    const input = { store: this.args.platform.store.reference, paths: this.paths };
    return stepCommand(
      `${this.name}-versions-before`,
      {
        step: "store-versions",
        input,
        trigger: this.trigger,
        inPlace: this.args.state.inPlace,
        runOnInputChange: false,
      },
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
        inPlace: this.args.state.inPlace,
        progress: true,
      },
      { parent: this, dependsOn },
    );
  }

  private createDone(stored: Stored | undefined, before: local.Command, verified: local.Command): After {
    if (stored === undefined) return verified;
    return this.adoptedOnly ? stored.last : this.createRollout(stored, before);
  }

  /** Restarts, dry run, and the mark for the previous pair. */
  private createRollout({ last: stored }: Stored, before: local.Command): After {
    const restarted = this.createRestarts(stored, { entries: this.entries(this.args.active) });
    return this.createMarks(this.marks(before), this.createDryRun(restarted.last));
  }

  private createDryRun(dependsOn: After): After {
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
        inPlace: state.inPlace,
        runOnInputChange: false,
      },
      { parent: this, dependsOn },
    );
  }

  /** The runbook's `status=deprecated`, with its version and end; `active` again once the previous pair is gone. */
  private marks(before: local.Command): Marks {
    const { state, policy } = this.args;
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
    return this.paths.map((path) => ({ path, says: saysOf(path) }));
  }

  private describe(
    written: pulumi.Output<Record<string, unknown>>,
    verified: local.Command,
  ): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform, active } = this.args;
    const about = shapeOutputs(config, this.shapes).more ?? {};
    const more = pulumi.all([answerOf(verified), about]).apply(
      ([{ account }, shape]): Record<string, unknown> => ({
        ...shape,
        key: { label: active.label, keyId: lastFour(active.keyId) },
        ...(account === undefined ? {} : { account }),
      }),
    );
    return describeSecret({
      kind: config.kind,
      strategy: "supplied-key",
      store: platform.store.kind,
      state,
      policy,
      written,
      more,
    });
  }
}

/** The entry with each value a secret of the program. */
const hidden = (entry: StoreEntry): DeclaredEntry => {
  if (!isDocument(entry)) return { ...entry, value: pulumi.secret(entry.value) };
  const fields = Object.entries(entry.fields).map(([key, field]) => [
    key,
    field.public === true ? field : { value: pulumi.secret(field.value) },
  ]);
  return { ...entry, fields: Object.fromEntries(fields) };
};

const secretPair = ({ label, keyId, secretKey }: KeyPair) => ({
  label,
  keyId: pulumi.secret(keyId),
  secretKey: pulumi.secret(secretKey),
});

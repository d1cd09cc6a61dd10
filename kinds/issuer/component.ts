import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import type { KindAsks } from "../../components/preflight-input";
import { describeSecret } from "../../components/secret-outputs";
import { shapeOutputs } from "../../components/shape-change";
import type { DeclaredEntry, Marks, Stored } from "../../components/stack-store";
import { answerOf, stepCommand } from "../../components/step-command";
import type { StoreGuard } from "../../components/store-unchanged";
import { StoredCredential, type StoredCredentialArgs } from "../../components/stored-credential";
import { pathsOf } from "../../config";
import { graceEndsAt } from "../../core/deadlines";
import type { DocumentShape, KeptShape } from "../../core/document";
import { hasDocument } from "../../core/document-settings";
import type { Fingerprinted } from "../../core/fingerprints";
import { activeGeneration, other, previousGeneration, type SecretState } from "../../core/state";
import { rendered } from "../../core/template";
import { writtenBefore } from "../../stores/entries";
import { createDryRun } from "./dry-run";
import { entriesOf, keyShapes } from "./keys";
import type { IssuedSecret, SuppliedKind } from "./supplied-kind";
import type { Purpose } from "./verify-key";

/** A key that the program has, or one that a step makes. */
export interface DeclaredKey {
  readonly label: string;
  /** By the secret's fields. */
  readonly values: Readonly<Record<string, pulumi.Input<string>>>;
}

export interface SuppliedCredentialArgs extends StoredCredentialArgs {
  readonly config: IssuedSecret;
  /** The key that the state makes active. */
  readonly active: DeclaredKey;
  /** The key in the other slot, if it is still known. */
  readonly previous: DeclaredKey | undefined;
  /** The shape of the document as the last finished update left it; undefined if there was none. */
  readonly kept?: KeptShape | undefined;
}

/** What the kind of a secret says of its keys, and what its preflight checks. */
interface IssuedKind<S extends IssuedSecret> {
  readonly kind: SuppliedKind<S>;
  readonly asks: KindAsks<S>;
}

/** The output of `store-versions` for one path. */
interface StoredVersion {
  readonly path: string;
  readonly version: string;
}

/** A step's name and its own input. */
interface VerifyStep {
  readonly step: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * A key of an issuer outside of the platform through one whole rotation: preflight, proof by the issuer, store, restarts, dry
 * run, mark for the previous key, audit row. Each part waits for the previous one. The first update with the key in use alone
 * adopts it: it proves the key, compares it with the store and writes only the audit row, and the document if the config has
 * one.
 */
export abstract class SuppliedCredential<A extends SuppliedCredentialArgs> extends StoredCredential<A> {
  readonly state: pulumi.Output<SecretState>;
  /** It includes what tells the key in use from others. */
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;

  protected readonly asks: KindAsks<A["config"]>;
  private readonly kind: SuppliedKind<A["config"]>;

  protected constructor(
    type: string,
    { kind, asks }: IssuedKind<A["config"]>,
    name: string,
    args: A,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super(type, name, args, opts);
    this.kind = kind;
    this.asks = asks;

    const preflight = this.lookFirst();
    const before = this.createVersionsBefore(this.begin(preflight, this.entries(args.active)));
    const verified = this.createVerified(before);
    const unchanged = this.writes ? this.createUnchanged(this.storeGuard, verified) : undefined;
    const stored = unchanged && this.createStored(this.entries(args.active, 1), this.storeGuard, unchanged);
    this.description = this.describe(stored?.answer ?? answerOf(before), verified);
    const done = this.createDone(stored, before, verified);
    const audit = this.createAudit([preflight], done, stored?.answer, this.fingerprintsOf(this.fingerprinted));

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  /** The step that proves the key, which is called `NAME-STEP`. */
  protected abstract get verifyStep(): VerifyStep;

  /** A key as the inputs of the steps have it. */
  protected abstract keyInput(key: DeclaredKey): Readonly<Record<string, unknown>>;

  /** What the outputs say of the key in use. @param answer of the step that proved it */
  protected abstract about(answer: Record<string, unknown>): Record<string, unknown>;

  private get fields(): readonly string[] {
    return this.kind.fields(this.args.config);
  }

  /** Every field of each key that the config has. */
  private get fingerprinted(): pulumi.Output<Fingerprinted>[] {
    const { state, active, previous } = this.args;
    const keys = [
      { generation: activeGeneration(state), key: active },
      ...(previous === undefined ? [] : [{ generation: state.slots[other(state.active)], key: previous }]),
    ];
    return keys.flatMap(({ generation, key }) =>
      this.fields.map((part) =>
        pulumi.secret({ generation, part, username: null, value: pulumi.output(key.values[part]).apply(String) }),
      ),
    );
  }

  /** The key in use is the only one so far: no service reads another one afterwards. */
  private get adoptedOnly(): boolean {
    return previousGeneration(this.args.state) === undefined;
  }

  /** A document may lack its extras, or be new beside the values: services are moved to it before any rotation. */
  private get writes(): boolean {
    return !this.adoptedOnly || hasDocument(this.args.config);
  }

  protected get purpose(): Purpose {
    return this.mode === "emergency" ? "rotation" : this.mode;
  }

  private get paths(): readonly string[] {
    return pathsOf(this.args.config);
  }

  private get shapes(): readonly DocumentShape[] {
    return keyShapes(this.kind, this.args.config, this.args.kept);
  }

  /** The key in the store. @param shapes only so many of a document's shapes. Default: all that the store may hold */
  private entries({ values }: DeclaredKey, shapes?: number): DeclaredEntry[] {
    const all = pulumi.all(values);
    return entriesOf(this.kind, this.args.config, this.shapes.slice(0, shapes), (template) =>
      pulumi.secret(all.apply((known) => String(rendered(template, known)))),
    );
  }

  private lookFirst(): local.Command {
    const { state, active } = this.args;
    // The new key too: it may have been written by hand before it was supplied.
    const known = this.adoptedOnly ? this.entries(active) : this.storedBefore;
    const entries = writtenBefore(known, this.args.config, this.args.kept);
    return this.createPreflight(entries.length === 0 ? undefined : { generation: activeGeneration(state), entries });
  }

  /** What the store may hold before it is written; nothing if the config no longer has the previous key. */
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

  /** Proves the key before anything is written; a key that changes is proven again. */
  private createVerified(dependsOn: pulumi.Resource): local.Command {
    const { step, input } = this.verifyStep;
    return stepCommand(
      `${this.name}-${step}`,
      { step, input, trigger: this.trigger, inPlace: this.args.state.inPlace, progress: true },
      { parent: this, dependsOn },
    );
  }

  private createDone(stored: Stored | undefined, before: local.Command, verified: local.Command): After {
    if (stored === undefined) return verified;
    return this.adoptedOnly ? stored.last : this.createRollout(stored, before);
  }

  /** Restarts, dry run, and the mark for the previous key. */
  private createRollout({ last: stored }: Stored, before: local.Command): After {
    const { config, state, platform, active, previous } = this.args;
    const restarted = this.createRestarts(stored, { entries: this.entries(active) });
    const secrets = [active, ...(previous === undefined ? [] : [previous])].map((key) => this.keyInput(key));
    const args = { name: this.name, config, state, platform, secrets, trigger: this.trigger };
    return this.createMarks(this.marks(before), createDryRun(this, args, restarted.last));
  }

  /** The runbook's `status=deprecated`, with its version and end; `active` again once the previous key is gone. */
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
    const { config, state, policy, platform } = this.args;
    const shape = shapeOutputs(config, this.shapes).more ?? {};
    const more = pulumi
      .all([answerOf(verified), shape])
      .apply(([answer, kept]): Record<string, unknown> => ({ ...kept, ...this.about(answer) }));
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

/** Each value as a secret of the program. */
export const secretValues = (values: DeclaredKey["values"]): Readonly<Record<string, pulumi.Output<string>>> =>
  Object.fromEntries(Object.entries(values).map(([field, value]) => [field, pulumi.secret(value)]));

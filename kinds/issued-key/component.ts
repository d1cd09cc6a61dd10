import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { After } from "../../components/after";
import { describeSecret, marksOf } from "../../components/secret-outputs";
import { shapeOutputs } from "../../components/shape-change";
import type { DeclaredEntry, Stored } from "../../components/stack-store";
import { answerOf, stepCommand } from "../../components/step-command";
import { StoredCredential, type StoredCredentialArgs } from "../../components/stored-credential";
import type { DocumentShape, KeptShape } from "../../core/document";
import type { Fingerprinted } from "../../core/fingerprints";
import { activeGeneration, EMPTY, other, type SecretState } from "../../core/state";
import { rendered } from "../../core/template";
import { writtenBefore } from "../../stores/entries";
import { secretValues } from "../issuer/component";
import { createDryRun } from "../issuer/dry-run";
import type { Values } from "../issuer/issuer";
import { entriesOf, keyShapes } from "../issuer/keys";
import { issuedAsks } from "./asks";
import { issuedFields } from "./credentials";
import { type IssuedConfig, type IssuedKind, idOf } from "./issued-kind";

export interface IssuedKeyArgs<S extends IssuedConfig = IssuedConfig> extends StoredCredentialArgs {
  readonly config: S;
  /** The values in use before this stack, generation 0. Without them, they are neither rolled back to nor ended. */
  readonly adopted: Values | undefined;
  /** The generations that leave their slot in this update and have not ended. */
  readonly displaced: readonly number[];
  /** The shape of the document as the last finished update left it; undefined if there was none. */
  readonly kept?: KeptShape | undefined;
}

/** A key of one generation. */
interface Credential {
  readonly generation: number;
  /** By the secret's fields. */
  readonly values: Readonly<Record<string, pulumi.Output<string>>>;
  /** What else its end needs; undefined if its issuer has not said it. */
  readonly kept: Readonly<Record<string, pulumi.Output<string | undefined>>>;
  /** Its entries in the store: of a document in the shape of the config. */
  readonly entries: readonly DeclaredEntry[];
  /** The same, and each document as an earlier config of this stack left it. */
  readonly known: readonly DeclaredEntry[];
  /** What made it. */
  readonly made: pulumi.Resource | undefined;
}

/**
 * A key that its issuer makes through one whole rotation: preflight, issue, proof, store, restarts, dry run, end of what is
 * over, audit row. Each generation is a resource of its own, so that its values are known until it has ended.
 */
export abstract class IssuedKey<S extends IssuedConfig> extends StoredCredential<IssuedKeyArgs<S>> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = issuedAsks;
  private readonly kind: IssuedKind<S>;

  protected constructor(
    type: string,
    kind: IssuedKind<S>,
    name: string,
    args: IssuedKeyArgs<S>,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super(type, name, args, opts);
    this.kind = kind;
    const { config, state, displaced, platform } = args;

    // The slot that is not active stays as it is: the preflight proves its value, so it cannot wait for the preflight.
    const previous = this.credential(state.slots[other(state.active)], opts.dependsOn);
    const displacedOnes = displaced.flatMap((generation) => this.credential(generation, opts.dependsOn) ?? []);
    const preflight = this.lookFirst(previous);
    const begun = this.begin(preflight, previous?.entries);
    const credential = this.credential(activeGeneration(state), begun);
    if (credential === undefined) throw new Error(unknownValues(config.name, activeGeneration(state)));
    const guard = {
      known: [...(previous?.known ?? []), ...credential.known],
      whenForeign: issuedAsks.whenForeign(
        config,
        { mode: this.mode, state, stack: platform.audit.stack },
        previous?.generation,
      ),
    };
    const verified = this.createVerified(credential, previous, begun);
    const unchanged = this.createUnchanged(guard, verified);
    const stored = this.createStored(credential.entries, guard, unchanged);
    const restarted = this.createRestarts(stored.last, { entries: credential.entries });
    this.description = this.describe(stored, verified);
    const over = [...(previous === undefined ? [] : [previous]), ...displacedOnes];
    const ran = this.createDryRun([credential, ...over], restarted.last);
    const ended = over.map((one) => this.createEnd(one, one !== previous || state.revoked, ran));
    const says = pulumi.output(stored.answer).apply(() => marksOf(state, args.policy));
    const marks = credential.entries.map(({ path }) => ({ path, says }));
    const marked = this.createMarks(marks, ended.length === 0 ? ran : ended);
    const prints = [credential, ...over].flatMap((one) => this.fingerprinted(one));
    const audit = this.createAudit([preflight, verified], marked, stored.answer, this.fingerprintsOf(prints));

    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  private fingerprinted({ generation, values }: Credential): pulumi.Output<Fingerprinted>[] {
    return Object.entries(values).map(([part, value]) =>
      value.apply((plain) => ({ generation, part, username: null, value: plain })),
    );
  }

  private get shapes(): readonly DocumentShape[] {
    return keyShapes(issuedFields, this.args.config, this.args.kept);
  }

  /** The credential of a generation; undefined if it is not known. */
  private credential(generation: number, dependsOn: After | undefined): Credential | undefined {
    const { config, adopted } = this.args;
    if (generation === EMPTY || (generation === 0 && adopted === undefined)) return undefined;
    const made = generation === 0 ? undefined : this.createKey(generation, dependsOn);
    const values = secretValues(this.fieldsOf(made, generation));
    const all = pulumi.all(values);
    const entries = (shapes: readonly DocumentShape[]) =>
      entriesOf(issuedFields, config, shapes, (template) =>
        pulumi.secret(all.apply((known) => String(rendered(template, known)))),
      );
    const kept = this.kind.kept(config).map((name) => {
      const value = made === undefined ? pulumi.output(adopted?.[name]) : this.issued(made, name);
      return [name, pulumi.secret(value)] as const;
    });
    return {
      ...{ generation, values, made, kept: Object.fromEntries(kept) },
      ...{ entries: entries(this.shapes.slice(0, 1)), known: entries(this.shapes) },
    };
  }

  /** Made once: nothing that the config says later makes another one. */
  private createKey(generation: number, dependsOn: After | undefined): local.Command {
    const { config, state, platform } = this.args;
    return stepCommand(
      `${this.name}-key-${generation}`,
      {
        step: "issue-key",
        about: `issues generation ${generation}`,
        input: {
          issuer: this.kind.referenceOf(config),
          id: idOf(platform.audit.stack, config, generation),
          wanted: generation === activeGeneration(state),
        },
      },
      {
        parent: this,
        ...(dependsOn === undefined ? {} : { dependsOn }),
        additionalSecretOutputs: ["stdout"],
        ignoreChanges: ["create", "stdin", "logging", "addPreviousOutputInEnv"],
      },
    );
  }

  /** A value that the issuer has made; undefined if it has made none of that name. */
  private issued(made: local.Command, name: string): pulumi.Output<string | undefined> {
    return answerOf(made).apply(({ values }) => (values as Values | undefined)?.[name]);
  }

  /** The values of the secret's fields. */
  private fieldsOf(made: local.Command | undefined, generation: number): Record<string, pulumi.Input<string>> {
    const { config, adopted = {}, state } = this.args;
    if (made === undefined) return Object.fromEntries(config.fields.map((field) => [field, adopted[field] ?? ""]));
    const value = (field: string) =>
      this.issued(made, field).apply((found) => {
        if (found === undefined && generation === activeGeneration(state))
          throw new Error(unknownValues(config.name, generation));
        return found ?? "";
      });
    return Object.fromEntries(config.fields.map((field) => [field, value(field)]));
  }

  private lookFirst(previous: Credential | undefined): local.Command {
    const { config, kept } = this.args;
    const { generation, known } = previous ?? {};
    return this.createPreflight(
      generation === undefined || known === undefined
        ? undefined
        : { generation, entries: writtenBefore(known, config, kept) },
    );
  }

  /** Proves the credential by what its issuer says, before anything is written. */
  private createVerified(credential: Credential, previous: Credential | undefined, begun: After): local.Command {
    const { config, state } = this.args;
    const key = ({ generation, values }: Credential) => ({ label: `generation ${generation}`, values });
    return stepCommand(
      `${this.name}-verify-key`,
      {
        step: "verify-key",
        input: {
          issuer: this.kind.referenceOf(config),
          secretName: config.name,
          purpose: this.mode === "emergency" ? "rotation" : this.mode,
          key: key(credential),
          ...(previous === undefined ? {} : { before: key(previous) }),
          ...(config.account === undefined ? {} : { account: config.account }),
          activationWait: this.kind.waits(config).works,
        },
        trigger: this.trigger,
        inPlace: state.inPlace,
        progress: true,
      },
      { parent: this, dependsOn: credential.made ?? begun },
    );
  }

  private createDryRun([credential, ...others]: readonly Credential[], dependsOn: After): After {
    const { config, state, platform } = this.args;
    const secrets = [credential, ...others].flatMap((one) => (one === undefined ? [] : [one.values]));
    return createDryRun(this, { name: this.name, config, state, platform, secrets, trigger: this.trigger }, dependsOn);
  }

  /** Ends a credential at its issuer, and proves that. Until its grace period is over the step does nothing. */
  private createEnd({ generation, values, kept }: Credential, ends: boolean, dependsOn: After): local.Command {
    const { config, platform } = this.args;
    return stepCommand(
      `${this.name}-end-${generation}`,
      {
        step: "end-key",
        about: `${ends ? "ends" : "keeps"} generation ${generation}`,
        input: {
          issuer: this.kind.referenceOf(config),
          id: idOf(platform.audit.stack, config, generation),
          values: { ...values, ...kept },
          ends,
          wait: this.kind.waits(config).refused,
        },
      },
      { parent: this, dependsOn },
    );
  }

  private describe(stored: Stored, verified: local.Command): pulumi.Output<Record<string, unknown>> {
    const { config, state, policy, platform } = this.args;
    const shape = shapeOutputs(config, this.shapes).more ?? {};
    const more = pulumi.all([answerOf(verified), shape]).apply(
      ([{ identity }, kept]): Record<string, unknown> => ({
        ...kept,
        ...(identity === undefined ? {} : { identity }),
      }),
    );
    return describeSecret({
      kind: config.kind,
      strategy: "issued-key",
      store: platform.store.kind,
      state,
      policy,
      written: stored.answer,
      more,
    });
  }
}

const unknownValues = (secret: string, generation: number) =>
  `${secret}: the values of generation ${generation} are not known; a rotation makes new ones`;

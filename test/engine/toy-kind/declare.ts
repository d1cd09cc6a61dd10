import type * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { sayPlan } from "../../../components/say-plan";
import { describeSecret, marksOf } from "../../../components/secret-outputs";
import type { DeclaredEntry } from "../../../components/stack-store";
import { StoredCredential, type StoredCredentialArgs } from "../../../components/stored-credential";
import { policyOf } from "../../../config";
import { other, type SecretState, type SlotIndex } from "../../../core/state";
import { type Declare, type DeclaredIn, declaration } from "../../../kinds/kind";
import { toyAsks } from "./asks";
import type { ToyConfig } from "./schema";

interface ToyArgs extends StoredCredentialArgs {
  readonly config: ToyConfig;
}

/** A token through one whole rotation: preflight, slot, store, restarts, audit row. */
class Toy extends StoredCredential<ToyArgs> {
  readonly state: pulumi.Output<SecretState>;
  readonly description: pulumi.Output<Record<string, unknown>>;
  readonly last: pulumi.Resource;
  protected readonly asks = toyAsks;

  constructor(name: string, args: ToyArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("Toy", name, args, opts);
    const { config, state, policy, platform } = args;
    const before = this.entriesOf(other(state.active), opts.dependsOn);
    const generation = state.slots[other(state.active)];
    const preflight = this.createPreflight(before.length === 0 ? undefined : { generation, entries: before });
    const entries = this.entriesOf(state.active, preflight);
    const decided = { mode: this.mode, state, stack: platform.audit.stack };
    const guard = {
      known: [...before, ...entries],
      whenForeign: toyAsks.whenForeign(config, decided, undefined),
    };
    const unchanged = this.createUnchanged(guard, preflight);
    const stored = this.createStored(entries, guard, unchanged);
    const restarted = this.createRestarts(stored.last);
    const says = stored.answer.apply(() => marksOf(state, policy));
    const marked = this.createMarks([{ path: config.name, says }], restarted.last);
    const written = stored.answer;
    this.description = describeSecret({
      kind: config.kind,
      strategy: "toy",
      store: platform.store.kind,
      state,
      policy,
      written,
    });
    const audit = this.createAudit([preflight, unchanged], marked, written);
    this.state = audit.state;
    this.last = audit.command;
    this.registerOutputs({});
  }

  /** The token of a slot; none while the slot is empty. */
  private entriesOf(slot: SlotIndex, dependsOn: pulumi.ResourceOptions["dependsOn"]): DeclaredEntry[] {
    const { config, state } = this.args;
    const generation = state.slots[slot];
    if (generation <= 0) return [];
    const { result } = new RandomPassword(
      `${this.name}-slot-${slot}`,
      { length: config.length, special: false, keepers: { generation: String(generation) } },
      { parent: this, ...(dependsOn === undefined ? {} : { dependsOn }) },
    );
    return [{ path: config.name, value: result }];
  }
}

/** Declares a toy. */
export async function declareToy(secret: ToyConfig, { config, platform, recorded }: DeclaredIn): Promise<Declare> {
  const policy = policyOf(config, secret);
  return (decision, { rolledOut }) => {
    sayPlan(decision);
    const { state, force } = decision;
    return declaration(Toy, { config: secret, state, recorded, force, rolledOut, policy, platform });
  };
}

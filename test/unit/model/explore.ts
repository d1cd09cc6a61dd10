import { graceEndsAt } from "../../../core/deadlines";
import { nextState } from "../../../core/next-state";
import { DEFAULT_POLICY as policy } from "../../../core/policy";
import { type Request, RequestRefusedError } from "../../../core/request";
import { resolve } from "../../../core/resume";
import { activation, activeGeneration, other, previousGeneration, type SecretState, slotOf } from "../../../core/state";
import {
  before,
  credentialOf,
  type Effect,
  effectsOf,
  fill,
  type Platform,
  readStore,
  type Saved,
  type Strategy,
  stepKeyOf,
  works,
} from "./platform";

/** An update under way: what it brings the secret to, . */
interface Run {
  readonly target: SecretState;
}

/** A state of the model. */
export interface Node {
  readonly day: number;
  /** The stack's outputs: the state that the last finished update left. */
  readonly outputs: SecretState | undefined;
  /** What the last activation that passed its preflight was to bring about, as the stack's state records it. */
  readonly recorded: SecretState | undefined;
  readonly saved: Saved;
  readonly fills: Readonly<Record<string, number>>;
  readonly platform: Platform;
  readonly request: Request | undefined;
  readonly run: Run | undefined;
  /** The value of each generation that was ever in the outputs. */
  readonly known: Readonly<Record<string, string>>;
  /** A generation whose slot somebody's own request has given to a new one. */
  readonly givenUp: number | undefined;
  /** An update that ends the credential before was begun, and may have died; until the next rotation is done. */
  readonly ending: boolean;
  /** Time has just passed: it need not pass again before something else happens. */
  readonly waited: boolean;
  /** How much of each may still happen. */
  readonly left: {
    readonly updates: number;
    readonly crashes: number;
    readonly rotate: number;
    readonly activate: number;
  };
}

export interface Options {
  readonly strategy: Strategy;
  readonly left: Node["left"];
  /** Changes what an update does, to see that the rules notice; nothing by default. */
  readonly mutate?: (effects: Effect[]) => Effect[];
}

export interface Found {
  readonly states: number;
  readonly transitions: number;
  readonly finishedUpdates: number;
  readonly deepest: number;
  /** States between the two writes of the store, in which a reader waits. */
  readonly halfWritten: number;
  /** What happened up to the first state that breaks a rule, and which; undefined where none does. */
  readonly counterexample: { readonly rule: string; readonly trace: readonly string[] } | undefined;
}

interface Move {
  readonly label: string;
  readonly next: Node;
}

const START = Date.parse("2026-11-23T02:00:00Z");
const at = (day: number) => new Date(START + day * 86_400_000);

/** Looks at every state that can be reached, nearest first, until one breaks a rule or none is left. */
export function explore(options: Options): Found {
  const first: Node = {
    day: 0,
    outputs: undefined,
    recorded: undefined,
    fills: {},
    request: undefined,
    run: undefined,
    givenUp: undefined,
    ending: false,
    waited: false,
    known: {},
    saved: { inputs: {}, values: ["", ""] },
    platform: before(),
    left: options.left,
  };
  const cameFrom = new Map<string, { from: string | undefined; label: string; depth: number }>();
  const queue: { key: string; node: Node }[] = [];
  const add = (node: Node, from: string | undefined, label: string, depth: number) => {
    const key = JSON.stringify(node);
    if (cameFrom.has(key)) return;
    cameFrom.set(key, { from, label, depth });
    queue.push({ key, node });
  };
  const traceTo = (key: string) => {
    const trace: string[] = [];
    for (let step = cameFrom.get(key); step?.from !== undefined; step = cameFrom.get(step.from))
      trace.unshift(step.label);
    return trace;
  };
  const count = { transitions: 0, finishedUpdates: 0, deepest: 0, halfWritten: 0 };
  add(first, undefined, "", 0);
  for (let next = 0; next < queue.length; next += 1) {
    const { key, node } = queue[next] as (typeof queue)[number];
    const depth = cameFrom.get(key)?.depth ?? 0;
    count.deepest = depth;
    if (readStore(node.platform) === undefined) count.halfWritten += 1;
    try {
      check(options.strategy, node);
      for (const { label, next: reached } of movesFrom(node, options)) {
        count.transitions += 1;
        if (label === "outputs saved") count.finishedUpdates += 1;
        add(reached, key, label, depth + 1);
      }
    } catch (error) {
      const rule = (error as Error).message;
      return { states: cameFrom.size, ...count, counterexample: { rule, trace: traceTo(key) } };
    }
  }
  return { states: cameFrom.size, ...count, counterexample: undefined };
}

function movesFrom(node: Node, options: Options): Move[] {
  return node.run === undefined ? idleMoves(node, options) : runningMoves(node, node.run, options);
}

/** Nothing runs: an update begins, time passes, or somebody asks for something. */
function idleMoves(node: Node, options: Options): Move[] {
  const { left, outputs } = node;
  const moves: Move[] = [];
  if (left.updates > 0) moves.push(...begin({ ...node, left: { ...left, updates: left.updates - 1 } }, options));
  // The moments that matter: within the grace period, behind it, and at the next rotation's date.
  for (const days of [0.5, 1, 89]) {
    const day = node.day + days;
    if (!node.waited && outputs !== undefined)
      moves.push({ label: `${days} days pass`, next: { ...node, day, waited: true } });
  }
  const id = `r${left.rotate}${left.activate}`;
  const ask = (what: Partial<Request>, spent: Partial<Node["left"]>): Move => ({
    label: `asked for ${JSON.stringify(what)}`,
    next: { ...node, request: { id, secret: "s", reason: "", ...what }, left: { ...left, ...spent } },
  });
  if (left.rotate > 0) {
    moves.push(ask({ rotate: true }, { rotate: left.rotate - 1 }));
    moves.push(ask({ rotate: true, emergency: true }, { rotate: left.rotate - 1 }));
  }
  if (left.activate > 0) {
    for (const activate of outputs?.slots ?? [0]) moves.push(ask({ activate }, { activate: left.activate - 1 }));
  }
  return moves;
}

function begin(node: Node, { strategy }: Options): Move[] {
  const { outputs, recorded, request, day } = node;
  let target: SecretState;
  try {
    const start = { finished: outputs, recorded: outputs && recorded, request, now: at(day) };
    target = resolve(start, ({ previous, ...given }) =>
      nextState(previous, { now: at(day), policy, hasAdopted: true, ...given }),
    ).state;
  } catch (error) {
    if (error instanceof RequestRefusedError) return [];
    throw error;
  }
  const { saved, fills } = fill(node.saved, target, node.fills);
  if (isForeign(strategy, node, target, saved.values)) return [];
  const lost = outputs && previousGeneration(outputs);
  const givesUp = lost !== undefined && !target.slots.includes(lost);
  if (givesUp && target.byAge && at(day) < graceEndsAt(outputs as SecretState, policy)) {
    throw new Error(`generation ${lost} is given up by age within its grace period`);
  }
  const label = `update to ${target.step.action} ${target.step.generation}`;
  const ending = node.ending || target.emergency === true || target.step.action === "REVOKE";
  const givenUp = givesUp ? lost : node.givenUp;
  const begins = recorded === undefined || activation(recorded) !== activation(target) ? target : recorded;
  const next = { ...node, recorded: begins, saved, fills, givenUp, ending, waited: false, run: { target } };
  return [{ label, next }];
}

/** The check before the first change: the store holds what this stack knows, or the update is refused. */
function isForeign(
  strategy: Strategy,
  { platform, outputs }: Node,
  target: SecretState,
  values: Saved["values"],
): boolean {
  if (outputs?.step.sequence === target.step.sequence || target.step.action === "REVOKE") return false;
  const known = [credentialOf(strategy, target, 0, values), credentialOf(strategy, target, 1, values)];
  const { username, password } = platform.store;
  const isKnown = (value: string | undefined, of: "user" | "value") =>
    value === undefined || known.some((login) => login[of] === value);
  return !isKnown(username?.value, "user") || !isKnown(password?.value, "value");
}

/** The next effect is carried out and saved; or the run dies before it, or between the effect and its being saved. */
function runningMoves(node: Node, { target }: Run, { strategy, mutate }: Options): Move[] {
  const plain = effectsOf(strategy, target, node.saved.values);
  const effects = (mutate?.(plain) ?? plain).filter(({ name, inputs }) => node.saved.inputs[name] !== inputs);
  const [effect] = effects;
  const { left } = node;
  const dead = { ...node, run: undefined, left: { ...left, crashes: left.crashes - 1 } };
  const mayDie = left.crashes > 0;
  if (effect === undefined) {
    const finished = {
      ...node,
      outputs: target,
      run: undefined,
      known: remembered(node, target),
      ending: stillEnding(node, target),
    };
    checkFinished(strategy, finished);
    const moves: Move[] = [{ label: "outputs saved", next: finished }];
    return mayDie ? [...moves, { label: "killed before the outputs are saved", next: dead }] : moves;
  }
  const platform = effect.act(node.platform, node.saved.inputs[effect.name]);
  const saved = { ...node.saved, inputs: { ...node.saved.inputs, [effect.name]: effect.inputs } };
  const moves: Move[] = [{ label: effect.name, next: { ...node, platform, saved } }];
  if (mayDie) {
    moves.push({ label: `killed before "${effect.name}"`, next: dead });
    moves.push({ label: `killed after "${effect.name}", which is not saved`, next: { ...dead, platform } });
  }
  return moves;
}

const stillEnding = ({ ending }: Node, { step, emergency }: SecretState) =>
  emergency === true || (ending && step.action !== "ROTATE");

/** @throws Error where a generation that was in the outputs before has another value now */
function remembered({ known, saved }: Node, { slots }: SecretState): Node["known"] {
  const now: Record<string, string> = { ...known };
  slots.forEach((generation, slot) => {
    const value = saved.values[slot as 0 | 1];
    if (generation > 0 && (now[generation] ?? value) !== value) {
      throw new Error(`generation ${generation} stands for two values`);
    }
    if (generation > 0) now[generation] = value;
  });
  return now;
}

/** The rules that hold in every state, also while nobody is there to finish what was begun. */
function check(strategy: Strategy, node: Node): void {
  const { platform, outputs, saved, ending, givenUp, day } = node;
  if (new Set(platform.rows).size !== platform.rows.length) throw new Error("a row is there twice");
  if (strategy === "single-user") return;
  platform.services.forEach((held, index) => {
    if (!works(platform, held)) throw new Error(`service ${index} holds a credential that does not work`);
  });
  const read = readStore(platform);
  if (read !== undefined && !works(platform, read)) throw new Error("the store holds a credential that does not work");
  if (outputs === undefined) return;
  const inUse = credentialOf(strategy, outputs, outputs.active, saved.values);
  if (!ending && !works(platform, inUse))
    throw new Error(`generation ${activeGeneration(outputs)}, in use, does not work`);
  const previous = previousGeneration(outputs);
  const inGrace = previous !== undefined && !outputs.revoked && at(day) < graceEndsAt(outputs, policy);
  if (!inGrace || ending || previous === givenUp) return;
  if (previous > 0 && saved.inputs[`slot ${other(outputs.active)}`] !== String(previous)) {
    throw new Error(`the value of generation ${previous}, the rollback's target, is gone within its grace period`);
  }
  const target = credentialOf(strategy, outputs, other(outputs.active), saved.values);
  if (!works(platform, target))
    throw new Error(`generation ${previous}, the rollback's target, is gone within its grace period`);
}

/** What holds once an update is done. */
function checkFinished(strategy: Strategy, { outputs: state, platform, saved }: Node): void {
  if (state === undefined) return;
  const credential = credentialOf(strategy, state, state.active, saved.values);
  const is = (login: { user: string; value: string } | undefined) =>
    login?.user === credential.user && login.value === credential.value;
  if (!works(platform, credential)) throw new Error("done, and the credential in use does not work");
  if (!is(readStore(platform))) throw new Error("done, and the store holds another credential");
  if (!platform.services.every(is)) throw new Error("done, and a service holds another credential");
  if (!platform.rows.includes(stepKeyOf(state))) throw new Error("done, and its row is missing");
  if (slotOf(state, activeGeneration(state)) !== state.active)
    throw new Error("done, and a generation is in two slots");
}

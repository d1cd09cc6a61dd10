import { ADOPTED_LABEL, alpacaKeys, suppliedPair } from "../../lab/deploy";
import { ALPACA_KEY } from "../../lab/lab";
import type { LeakLife } from "./life";

type Pair = Pick<LeakLife["lab"]["adoptedAlpaca"], "keyId" | "secretKey">;

/** Supplies a second pair, as `rotation alpaca add-key` does. @returns it */
export async function supplyPair(life: LeakLife, label: string): Promise<Pair> {
  const [current, previous] = [life.lab.alpaca.paper.createKey(), life.lab.adoptedAlpaca];
  await configure(life, { label, pair: current }, { label: ADOPTED_LABEL, pair: previous });
  for (const [generation, pair] of [previous, current].entries()) {
    for (const part of ["keyId", "secretKey"] as const)
      life.note({ secret: ALPACA_KEY, generation, part, username: "alpaca", value: pair[part] });
  }
  return current;
}

interface Labelled {
  readonly label: string;
  readonly pair: Pair;
}

const configure = ({ stack }: LeakLife, current: Labelled, previous: Labelled) =>
  stack.configureSecret(
    "alpacaKeys",
    alpacaKeys(suppliedPair(current.label, current.pair), suppliedPair(previous.label, previous.pair)),
  );

/** What the response to a pair that leaked said and did. */
export interface PairLeak {
  /** Without a new pair: what has to be done first. */
  readonly first: string;
  /** With one: until services use it; then only the operator can end the old one. */
  readonly seconds: number;
  readonly next: string;
  /** What is said of the pair before and after the operator has deleted it. */
  readonly verdicts: readonly [string, string];
  /** The rows that were written, as `action status`. */
  readonly rows: readonly string[];
}

/** The pair in use leaks. It has to be the last that {@link supplyPair} supplied under `label`. */
export async function leakPair(life: LeakLife, label: string): Promise<PairLeak> {
  const { lab, stack } = life;
  const [keyId, secretKey] = await Promise.all([
    lab.store.get("alpaca/api_key_id"),
    lab.store.get("alpaca/api_secret_key"),
  ]);
  const leaked = { keyId: keyId?.value ?? "", secretKey: secretKey?.value ?? "" };
  const found = JSON.stringify([{ source: "settings.env", ...leaked }]);
  const before = (await life.rows()).length;
  const refused = await life.answered(["--respond", "--yes"], found);
  const first = refused.unanswered?.[0]?.next ?? `nothing: ${JSON.stringify(refused)}`;

  const replacement = { label: "paper-trading-2027-08-20", pair: lab.alpaca.paper.createKey() };
  await configure(life, replacement, { label, pair: leaked });
  const { responses } = await life.answered(["--respond", "--yes"], found);
  const [response] = responses;
  if (response === undefined) throw new Error("expected a response, found none");
  const said = async () => (await life.answered([], found)).leaks.map(({ answer }) => answer).join();
  const works = await said();
  lab.alpaca.paper.deleteKey(leaked.keyId);
  const run = await stack.pulumi(["up", "--yes", "--skip-preview"]);
  if (run.exitCode !== 0) throw new Error(`pulumi up failed: ${run.stdout}${run.stderr}`);
  const rows = (await life.rows()).slice(before).map(({ action, status }) => `${action} ${status}`);
  return {
    ...{ first, seconds: response.seconds, next: response.next ?? "nothing" },
    ...{ verdicts: [works, await said()], rows },
  };
}

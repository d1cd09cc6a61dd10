import { type FingerprintOwner, fingerprintsOf, type OwnedFingerprint } from "../../../audit/fingerprints";
import { codeOf } from "../../../core/errors";
import { matchesIn } from "../../../core/fingerprints";
import { redact } from "../../../core/redact";
import { activeGeneration, previousGeneration } from "../../../core/state";
import { operationsOf } from "../../../kinds/operations";
import { readLog } from "../audit-log";
import { UsageError } from "../errors";
import type { Stack } from "../stack";
import type { LeakText } from "./findings";

/** A credential of this stack that was found. */
export interface Leak {
  readonly secret: string;
  readonly generation: number;
  readonly part: string;
  readonly username: string | null;
  readonly where: readonly string[];
  /** What the stack knows the generation as. */
  readonly standing: "in use" | "previous" | "ended";
  /** Whether it was accepted just now. */
  readonly answer: "works" | "refused" | "unknown";
  readonly evidence: string;
}

/** A leak with its value: keep it in memory, print none of it. */
export type FoundLeak = Leak & { readonly value: string };

/**
 * Compares texts with every credential that this stack ever had, and tries what it finds.
 *
 * @throws UsageError if the config has no `fingerprintKey`
 */
export async function findLeaks(stack: Stack, texts: readonly LeakText[]): Promise<FoundLeak[]> {
  const { config, name } = stack;
  const { fingerprintKey: key, environment } = config;
  if (key === undefined) throw new UsageError(NO_KEY);
  const known = await keptOf(config, { stack: name, environment });
  // Without any, "nothing of this stack" would be no answer.
  if (known.length === 0) throw new UsageError(NONE);
  const found = new Map<OwnedFingerprint, { value: string; where: Set<string> }>();
  for (const { where, text } of texts) {
    for (const { of, value } of matchesIn(text, key, known)) {
      const before = found.get(of) ?? { value, where: new Set() };
      before.where.add(where);
      found.set(of, before);
    }
  }
  const byOrder = [...found].sort(([a], [b]) => orderOf(config, a, b));
  return Promise.all(
    byOrder.map(async ([{ secret, generation, part, username }, { value, where }]) => {
      const about = { secret, generation, part, username };
      const halves = Object.fromEntries(
        [...found].flatMap(([of, one]) =>
          of.secret === secret && of.generation === generation ? [[of.part, one.value]] : [],
        ),
      );
      return {
        ...about,
        where: [...where].map((place) => redact(place, [value])),
        value,
        standing: standingOf(stack, about),
        ...(await tried(stack, about, halves)),
      };
    }),
  );
}

const NONE = "no fingerprint of a credential is kept yet: `pulumi up` keeps those that it knows";

async function keptOf(config: Stack["config"], owner: FingerprintOwner): Promise<readonly OwnedFingerprint[]> {
  try {
    return (await readLog(config, (client) => fingerprintsOf(client, owner))) ?? [];
  } catch (error) {
    // A log of an earlier version of this program.
    if (codeOf(error) === "42P01") return [];
    throw error;
  }
}

/** In the config's order, then by generation. */
function orderOf({ secrets }: Stack["config"], a: OwnedFingerprint, b: OwnedFingerprint): number {
  const place = (one: OwnedFingerprint) => secrets.findIndex(({ name }) => name === one.secret);
  return place(a) - place(b) || a.generation - b.generation || a.part.localeCompare(b.part);
}

const NO_KEY =
  "no fingerprint of a credential is kept: set a key with `openssl rand -base64 32 | pulumi config set --secret fingerprintKey`, then `pulumi up`";

type About = Pick<Leak, "secret" | "generation" | "username">;

function standingOf({ outputs }: Stack, { secret, generation }: About): Leak["standing"] {
  const state = outputs[secret]?.state;
  if (state === undefined) return "ended";
  if (activeGeneration(state) === generation) return "in use";
  return previousGeneration(state) === generation && !state.revoked ? "previous" : "ended";
}

/** Tries it with its own values; if they are only a part of it, with those that the stack knows. */
export async function tried(
  stack: Stack,
  { secret: name, generation, username }: About,
  parts: Readonly<Record<string, string>>,
): Promise<Pick<Leak, "answer" | "evidence">> {
  const secret = stack.config.secrets.find((one) => one.name === name);
  if (secret === undefined) return { answer: "unknown", evidence: "the config no longer has this secret" };
  const own = await operationsOf(secret).tryParts?.(stack, secret, { username, parts });
  if (own !== undefined) return own;
  const state = stack.outputs[name]?.state;
  const known = state === undefined ? [] : operationsOf(secret).known(stack, secret, [state]);
  const one = await known.find((credential) => credential.generation === generation)?.tried();
  if (one === undefined)
    return { answer: "unknown", evidence: "only a part of it was found, and the stack no longer has the rest" };
  if (one.answer === "works" || one.answer === "refused")
    return { answer: one.answer, evidence: `${one.of}: ${one.answer}` };
  return { answer: "unknown", evidence: `${one.of} could not be asked` };
}

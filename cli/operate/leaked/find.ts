import { type FingerprintOwner, fingerprintsOf, type OwnedFingerprint } from "../../../audit/fingerprints";
import { codeOf, messageOf } from "../../../core/errors";
import { type Fingerprint, fingerprinted, matchesIn } from "../../../core/fingerprints";
import { redact } from "../../../core/redact";
import { activeGeneration, previousGeneration } from "../../../core/state";
import type { LeakTried } from "../../../kinds/kind-operations";
import { operationsOf } from "../../../kinds/operations";
import { readLog } from "../audit-log";
import { UsageError } from "../errors";
import type { Stack } from "../stack";
import type { LeakText } from "./findings";
import type { FoundLeak, Leak } from "./leak";
import { loginsIn } from "./logins";

/** What was found, and what could not be compared. */
export interface Compared {
  readonly found: readonly FoundLeak[];
  readonly notes: readonly string[];
}

type Known = Fingerprint & Pick<OwnedFingerprint, "secret">;

/**
 * Compares texts with every credential that this stack ever had, and tries what it finds.
 *
 * @throws UsageError if the config has no `fingerprintKey`
 */
export async function findLeaks(stack: Stack, texts: readonly LeakText[]): Promise<Compared> {
  const { config, name } = stack;
  const { fingerprintKey: key, environment } = config;
  if (key === undefined) throw new UsageError(NO_KEY);
  const [kept, now] = await Promise.all([keptOf(config, { stack: name, environment }), handedOut(stack, key)]);
  const known: readonly Known[] = [...kept, ...now.known];
  // Without any, "nothing of this stack" would be no answer.
  if (known.length === 0 && config.secrets.every((secret) => operationsOf(secret).madeElsewhere === undefined))
    throw new UsageError(NONE);
  const found = new Map<string, { of: Known; value: string; where: Set<string> }>();
  for (const { where, text } of texts) {
    for (const { of, value } of matchesIn(text, key, known)) {
      const id = [of.secret, of.generation, of.part, of.fingerprint].join(" ");
      const before = found.get(id) ?? { of, value, where: new Set() };
      before.where.add(where);
      found.set(id, before);
    }
  }
  const all = [...found.values()].sort((a, b) => orderOf(config, a.of, b.of));
  const ofGenerations = all.map(async ({ of, value, where }): Promise<FoundLeak> => {
    const { secret, generation, part, username } = of;
    const same = all.filter((one) => one.of.secret === secret && one.of.generation === generation);
    // Its own value is the last: a generation may have had several.
    const parts = Object.fromEntries([...same.map((one) => [one.of.part, one.value]), [part, value]]);
    const about = { secret, generation, part, username };
    const again = (later: Stack) => tried(later, about, parts);
    return {
      leak: {
        ...about,
        where: [...where].map((place) => redact(place, [value])),
        standing: standingOf(stack, about),
        ...(await again(stack)),
      },
      again,
    };
  });
  return { found: [...(await Promise.all(ofGenerations)), ...(await loginsIn(stack, texts))], notes: now.notes };
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

/** What other systems hand out now: they may have made it since the last update. */
async function handedOut(stack: Stack, key: string): Promise<{ known: Known[]; notes: string[] }> {
  const [known, notes]: [Known[], string[]] = [[], []];
  for (const secret of stack.config.secrets) {
    const state = stack.outputs[secret.name]?.state;
    if (state === undefined) continue;
    try {
      const credentials = (await operationsOf(secret).handedOut?.(stack, secret, state)) ?? [];
      known.push(...fingerprinted(key, credentials).map((print) => ({ ...print, secret: secret.name })));
    } catch (error) {
      notes.push(
        `what is handed out for ${secret.name} now was not compared, only what updates have recorded: ${messageOf(error)}`,
      );
    }
  }
  return { known, notes };
}

/** In the config's order, then by generation. */
function orderOf({ secrets }: Stack["config"], a: Known, b: Known): number {
  const place = (one: Known) => secrets.findIndex(({ name }) => name === one.secret);
  return place(a) - place(b) || a.generation - b.generation || a.part.localeCompare(b.part);
}

const NO_KEY =
  "no fingerprint of a credential is kept: set a key with `openssl rand -base64 32 | pulumi config set --secret fingerprintKey`, then `pulumi up`";

interface About extends Pick<Leak, "secret" | "username"> {
  readonly generation: number;
}

function standingOf({ outputs }: Stack, { secret, generation }: About): Leak["standing"] {
  const state = outputs[secret]?.state;
  if (state === undefined) return "ended";
  if (activeGeneration(state) === generation) return "in use";
  return previousGeneration(state) === generation && !state.revoked ? "previous" : "ended";
}

/** Tries it with its own values; if they are only a part of it, with those that the stack knows. */
async function tried(
  stack: Stack,
  { secret: name, generation, username }: About,
  parts: Readonly<Record<string, string>>,
): Promise<LeakTried> {
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

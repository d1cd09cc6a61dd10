import type { PreviousSecret } from "../../components/previous-secrets";
import { RequestRefusedError } from "../../core/request";

/** Who makes the keys of a secret, as the outputs say it (`strategy`). */
const MAKERS = { "supplied-key": "you supply", "issued-key": "its issuer makes at this pipeline's request" } as const;

/**
 * The keys of one secret have one maker: what the other one's state says of generations means nothing here.
 *
 * @throws RequestRefusedError with the way from one to the other
 */
export function assertSameMaker(
  { name }: { readonly name: string },
  now: keyof typeof MAKERS,
  before: PreviousSecret | undefined,
): void {
  const was = before?.strategy as keyof typeof MAKERS | undefined;
  if (was === undefined || was === now || MAKERS[was] === undefined) return;
  throw new RequestRefusedError(
    `${name}: expected keys that ${MAKERS[was]}, as so far, found keys that ${MAKERS[now]}, which cannot be changed in place. ` +
      "Wait until the grace period of the previous key is over and it has ended. Then take the secret out of the config and " +
      "run `pulumi up` (it forgets the keys, and leaves them in the store and at their issuer), put it back with the key in " +
      "use, and run `pulumi up`: that key is adopted anew. Nothing was changed.",
  );
}

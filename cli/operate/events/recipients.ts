import addressparser from "nodemailer/lib/addressparser";
import type { NotifyConfig } from "../../../config";

/** Each address of the config once, also from `Team <team@example.org>` and from lists; what is not an address stays as it is. */
export function recipientsOf({ to }: Pick<NonNullable<NotifyConfig["email"]>, "to">): string[] {
  const addresses = to.flatMap((text) => {
    const found = addressparser(text, { flatten: true }).flatMap(({ address }) => (address === "" ? [] : [address]));
    return found.length === 0 ? [text] : found;
  });
  return [...new Map(addresses.map((address) => [address.toLowerCase(), address])).values()];
}

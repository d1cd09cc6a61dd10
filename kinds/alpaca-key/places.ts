/** The API of a stack's pairs, and the dashboard on which an operator makes and deletes them. */
export interface AlpacaPlaces {
  readonly baseUrl: string;
  /** The other environment's API; undefined if it is not known. */
  readonly otherUrl: string | undefined;
  readonly environment: "paper" | "live";
  /** The dashboard's address. */
  readonly dashboard: string;
}

const PAPER = "paper-api.alpaca.markets";
const LIVE = "api.alpaca.markets";

/** @param environment the stack's; a host that is not Alpaca's own (a lab, a proxy) is live only in `prod` and `live`. */
export function alpacaPlaces(
  { baseUrl, otherUrl }: { readonly baseUrl: string; readonly otherUrl?: string | undefined },
  environment: string,
): AlpacaPlaces {
  const { hostname } = new URL(baseUrl);
  const live = hostname === LIVE || (hostname !== PAPER && ["prod", "live"].includes(environment));
  const own = hostname === LIVE ? `https://${PAPER}` : hostname === PAPER ? `https://${LIVE}` : undefined;
  const kind = live ? "live" : "paper";
  return {
    baseUrl,
    otherUrl: otherUrl ?? own,
    environment: kind,
    dashboard: `https://app.alpaca.markets/${kind}/dashboard/overview`,
  };
}

import type { ConfigPart } from "../../../core/config-part";
import { type ToyConfig, toySchema } from "./schema";

interface Checked {
  readonly adopted: object;
}

/** A toy in the config. */
export const toy: ConfigPart<ToyConfig, Checked> = {
  schema: toySchema,
  traits: { hasDatabase: false, ages: true, overlaps: true, rollsBack: true, suppliedBy: "pipeline", plugins: [] },
  paths: ({ name }) => [{ path: name, setBy: "name" }],
  addresses: () => [],
  check: ({ adopted }, { secret }) =>
    Object.hasOwn(adopted, secret.name)
      ? [{ path: ["adopted", secret.name], message: "expected nothing: a toy begins anew" }]
      : [],
  checksTogether: [],
};

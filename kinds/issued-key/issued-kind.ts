import type { Config, SecretConfig } from "../../config";
import type { FieldsConfig } from "../issuer/checks";
import type { IssuerReference } from "../issuer/connect";
import type { IssuedSecret } from "../issuer/supplied-kind";

/** A secret whose values its issuer makes at this pipeline's request. */
export type IssuedConfig = SecretConfig & IssuedSecret & FieldsConfig & { readonly account?: string | undefined };

/** The part of the config with the values in use before this stack. */
export type AdoptedConfig = Pick<Config, "adopted">;

/** A kind of secret whose values an issuer makes and ends at this pipeline's request: all that differs between such kinds. */
export interface IssuedKind<S extends IssuedConfig> {
  /** A secret's issuer, as a step reaches it. It holds no credential. */
  referenceOf(secret: S): IssuerReference;
  /** The names of the values that are needed to end a key, and that no service reads. */
  kept(secret: S): readonly string[];
  /** Milliseconds that the issuer may take until a new key works, and until one that was revoked is refused. */
  waits(secret: S): { readonly works: number; readonly refused: number };
}

/** The names of all values of a key. */
export const valueNames = <S extends IssuedConfig>(kind: IssuedKind<S>, secret: S): readonly string[] => [
  ...secret.fields,
  ...kind.kept(secret),
];

/** What a key is called at its issuer: the same whenever an interrupted update is repeated. */
export const idOf = (stack: string | undefined, { name }: Pick<IssuedConfig, "name">, generation: number): string =>
  `${stack}/${name}/${generation}`;

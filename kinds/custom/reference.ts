import type { IssuerReference } from "../issuer/connect";
import type { CustomConfig } from "./schema";

/** A secret's issuer, as a step reaches it. */
export const referenceOf = ({
  name: secretName,
  fields,
  commands,
  variables,
  directory,
  timeout,
}: CustomConfig): IssuerReference => ({
  commands: { secretName, fields, commands, variables, timeout, ...(directory === undefined ? {} : { directory }) },
});

/** What a credential is called at its issuer: the same whenever an interrupted update is repeated. */
export const idOf = (stack: string | undefined, { name }: Pick<CustomConfig, "name">, generation: number): string =>
  `${stack}/${name}/${generation}`;

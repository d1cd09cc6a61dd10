import type { SecretConfig } from "../config";
import type { PhaseTable } from "../core/phases";
import { allKinds, kindFor } from ".";
import type { KindOperations } from "./kind-operations";

/** What a secret's kind provides to the CLI. */
export const operationsOf = (secret: SecretConfig): KindOperations<SecretConfig> => kindFor(secret).operations;

/** What the rotations of all kinds consist of, beside what every rotation has. */
export const phasesOfKinds = (): readonly PhaseTable[] => allKinds().flatMap(({ operations }) => operations.phases);

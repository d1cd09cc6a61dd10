import { randomSecret, type SecretGenerator } from "../../../dev/lab/secrets";

/** Stands in every secret that a lab of the tests makes: it is found also where only a part was leaked. */
export const MARK = "zqMarkedqz";

export const markedSecret: SecretGenerator = (purpose) => `${MARK}${randomSecret(purpose)}`;

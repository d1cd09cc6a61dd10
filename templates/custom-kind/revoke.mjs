// Ends one credential, and no other. One that is gone already is no error.
import { answer, asAdmin, fail, readRequest } from "./api.mjs";

const { values } = await readRequest();
try {
  const { status } = await asAdmin("DELETE", `/keys/${encodeURIComponent(values.keyId)}`);
  if (status !== 204 && status !== 404) fail(`the issuer answered ${status} to the end of the key`);
  answer({ revoked: true });
} catch (error) {
  fail(`the issuer does not answer: ${error.cause?.code ?? error.name}`);
}

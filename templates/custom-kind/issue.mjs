// Makes a credential. The issuer shows its values once, so a credential that an interrupted update has left under the same
// id is of no use: it is revoked first.
import { answer, asAdmin, fail, readRequest } from "./api.mjs";

const { id } = await readRequest();
try {
  const left = await asAdmin("GET", `/keys?name=${encodeURIComponent(id)}`);
  if (left.status !== 200) fail(`the issuer answered ${left.status} to the list of keys`);
  for (const { keyId } of left.body) {
    const { status } = await asAdmin("DELETE", `/keys/${encodeURIComponent(keyId)}`);
    if (status !== 204 && status !== 404) fail(`the issuer answered ${status} to the end of a left key`);
  }
  const made = await asAdmin("POST", "/keys", { name: id });
  if (made.status !== 201) fail(`the issuer answered ${made.status} to a new key`);
  answer({ values: { keyId: made.body.keyId, secretKey: made.body.secretKey } });
} catch (error) {
  fail(`the issuer does not answer: ${error.cause?.code ?? error.name}`);
}

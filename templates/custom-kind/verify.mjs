// Asks the issuer whether a credential works. What is not a clear yes or no is `unknown`: a network failure must never look
// like the end of a credential.
import { answer, asHolder, readRequest } from "./api.mjs";

const { values } = await readRequest();
try {
  const { status, body } = await asHolder(values, "GET", "/account");
  const evidence = `the issuer answered ${status}`;
  if (status === 200) answer({ answer: "works", identity: body.account, evidence });
  else if (status === 401) answer({ answer: "refused", evidence });
  else answer({ answer: "unknown", evidence });
} catch (error) {
  answer({ answer: "unknown", evidence: `the issuer does not answer: ${error.cause?.code ?? error.name}` });
}

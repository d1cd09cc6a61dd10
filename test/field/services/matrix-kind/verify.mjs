// Asks whose token it is. A token that is logged out only for a while (`soft_logout`) has not ended for good.
import { answer, readRequest } from "./api.mjs";
import { asHolder, said } from "./matrix.mjs";

const { values } = await readRequest();
try {
  const asked = await asHolder(values, "GET", "/account/whoami");
  const evidence = said(asked);
  if (asked.status === 200) answer({ answer: "works", identity: asked.body.user_id, evidence });
  else if (asked.status === 401 && asked.body.soft_logout === false) answer({ answer: "refused", evidence });
  else answer({ answer: "unknown", evidence });
} catch (error) {
  answer({ answer: "unknown", evidence: `the server does not answer: ${error.cause?.code ?? error.name}` });
}

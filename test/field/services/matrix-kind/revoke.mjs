// Logs a token out. One that is unknown has ended already.
import { answer, fail, readRequest } from "./api.mjs";
import { asHolder, said } from "./matrix.mjs";

const { values } = await readRequest();
try {
  const ended = await asHolder(values, "POST", "/logout");
  if (ended.status !== 200 && ended.body.errcode !== "M_UNKNOWN_TOKEN") fail(`${said(ended)} to the logout`);
  answer({ revoked: true });
} catch (error) {
  fail(`the server does not answer: ${error.cause?.code ?? error.name}`);
}

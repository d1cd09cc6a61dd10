// Logs in as a device that has the name of the id. A second login of a device leaves its first token valid, and a logout ends
// all tokens of the device: so what an interrupted update has left is ended by a logout first.
import { answer, fail, readRequest } from "./api.mjs";
import { asHolder, login, said } from "./matrix.mjs";

const { id } = await readRequest();
try {
  const left = await login(id);
  if (left.status !== 200) fail(`${said(left)} to a login`);
  const ended = await asHolder({ token: left.body.access_token }, "POST", "/logout");
  if (ended.status !== 200) fail(`${said(ended)} to the logout of what was left`);
  const made = await login(id);
  if (made.status !== 200) fail(`${said(made)} to a login`);
  answer({ values: { token: made.body.access_token } });
} catch (error) {
  fail(`the server does not answer: ${error.cause?.code ?? error.name}`);
}

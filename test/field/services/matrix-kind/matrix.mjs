// The API of a Matrix server: a credential is an access token of the bot's account. Its device has the name of the id.
const { MATRIX_URL, MATRIX_USER, MATRIX_PASSWORD } = process.env;

/** What an access token may do. */
export const asHolder = ({ token }, method, path) => call(method, path, { authorization: `Bearer ${token}` });

export const login = (device) =>
  call(
    "POST",
    "/login",
    {},
    {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: MATRIX_USER },
      password: MATRIX_PASSWORD,
      device_id: device,
    },
  );

/** What the server says in words, which holds no value: its error code. */
export const said = ({ status, body }) => `the server answered ${status}${body.errcode ? ` ${body.errcode}` : ""}`;

async function call(method, path, headers, body) {
  const response = await fetch(new URL(`/_matrix/client/v3${path}`, MATRIX_URL), {
    method,
    headers,
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, body: await response.json() };
}

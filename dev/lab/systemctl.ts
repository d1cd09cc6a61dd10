import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { readBody } from "./http";
import type { Supervisor } from "./supervisor";

/** What {@link startSystemctl} takes. */
export interface SystemctlOptions {
  /** Folder of the host. */
  dir: string;
  supervisor: Supervisor;
  /** The host's loopback address; unless it is 127.0.0.1, `curl` on the host finds its own "localhost" there. */
  address: string;
  /** Further commands of the host: name -> shell script. */
  commands?: Record<string, string>;
}

/** Puts `systemctl` into `<dir>/bin` and serves it on a socket that only this account may use. */
export async function startSystemctl(options: SystemctlOptions): Promise<{ bin: string; stop(): Promise<void> }> {
  const bin = join(options.dir, "bin");
  const socket = join(options.dir, "systemd.sock");
  await mkdir(bin, { recursive: true });
  const scripts: Record<string, string> = { ...options.commands, systemctl: systemctlScript(socket) };
  if (options.address !== "127.0.0.1") scripts.curl = curlScript(bin, options.address);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}`);
    await chmod(join(bin, name), 0o755);
  }
  const server = createServer(async (request, response) => {
    const [verb = "", ...names] = (await readBody(request)).split("\n").filter((part) => part !== "");
    const answer = await options.supervisor
      .control(verb, names)
      .catch((error: unknown) => ({ code: 1, output: `Job failed: ${error}` }));
    response.end(`${answer.code}\n${answer.output}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { bin, stop };
}

const systemctlScript = (socket: string): string => `
body=
for word in "$@"; do
  case "$word" in -*) ;; *) body="$body$word
" ;; esac
done
answer=$(printf %s "$body" | curl -sS --max-time 60 --unix-socket '${socket}' --data-binary @- http://systemd/) || {
  echo 'Failed to connect to bus: Connection refused' >&2
  exit 1
}
newline='
'
code=\${answer%%"$newline"*}
output=\${answer#*"$newline"}
case "$body" in is-active*|status*) stream=1 ;; *) stream=2 ;; esac
if [ "$output" != "$answer" ] && [ -n "$output" ]; then printf '%s\\n' "$output" >&$stream; fi
exit "$code"
`;

const curlScript = (bin: string, address: string): string => `
PATH=$(printf %s "$PATH" | tr ':' '\\n' | grep -vxF '${bin}' | paste -sd: -)
exec curl --connect-to 'localhost::${address}:' --connect-to '127.0.0.1::${address}:' "$@"
`;

import type { ClientChannel, Client as SshClient } from "ssh2";
import { Output, type RunRequest, type RunResult } from "./run-local";
import { connect } from "./ssh-connect";
import { isObject } from "./values";

/**
 * Runs a script on another host over SSH, and closes the connection whatever happens. As the real plugin it waits until
 * the script has ended: neither a cancelled update nor `customTimeouts` end it.
 */
export async function runRemote(request: RunRequest): Promise<RunResult> {
  const { values, context } = request;
  const connections = await connect(isObject(values.connection) ? values.connection : {}, context);
  try {
    return await execute(connections[0], request);
  } finally {
    for (const connection of connections) connection.end();
  }
}

async function execute(client: SshClient, request: RunRequest): Promise<RunResult> {
  const { script, values, environment } = request;
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.exec(script, { env: environment }, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const output = new Output(request);
  return new Promise((resolve) => {
    channel.on("data", output.stdout);
    channel.stderr.on("data", output.stderr);
    let failure: string | undefined = "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code === 0) failure = undefined;
      else if (code !== null) failure = `Process exited with status ${code}`;
      else failure = `Process exited with status 255 from signal ${signal ?? "unknown"}`;
    });
    channel.on("close", () => {
      resolve(output.result(failure));
    });
    channel.on("error", () => undefined);
    channel.end(typeof values.stdin === "string" ? values.stdin : undefined);
  });
}

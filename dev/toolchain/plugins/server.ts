import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EngineLog } from "./engine-log";
import { handlers } from "./handlers";
import { service } from "./protocol";
import type { Provider } from "./provider";
import { tracked } from "./tracked";

/** A plugin that listens. */
export interface PluginServer {
  port: number;
  /** Stops listening, and ends once the current work is done, even if no client waits for its answer any more. */
  close(): Promise<void>;
}

export interface ServeOptions {
  package: string;
  version: string;
  provider: Provider;
  /** `host:port` of the engine, where a command's output is shown. None: it is dropped. */
  engineAddress?: string;
  /** Throws if the stack of this URN must not be served. None: all are. */
  guard?: (urn: string) => void;
}

/** Serves a provider to the engine on a free loopback port. */
export async function serve(options: ServeOptions): Promise<PluginServer> {
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  const work = new Set<Promise<void>>();
  const engine = new EngineLog(options.engineAddress);
  const answer = tracked(work, () => engine.flush());
  server.addService(service, handlers({ ...options, engine, answer, cancellation: new AbortController() }));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const close = async (): Promise<void> => {
    // Not waited for: the engine keeps its connection until this process has ended, as it may.
    server.tryShutdown(() => undefined);
    while (work.size > 0) await Promise.all(work);
  };
  return { port, close };
}

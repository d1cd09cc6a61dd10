import { Client, credentials } from "@grpc/grpc-js";

/** Sends lines to the engine, which shows them beside the resource they belong to. Never fails: a lost line is only a lost line. */
export class EngineLog {
  #address: string | undefined;
  #client: Client | undefined;
  #sent: Promise<void> = Promise.resolve();

  constructor(address: string | undefined) {
    this.#address = address;
  }

  /** The engine that wants the lines from now on. */
  attach(address: string): void {
    this.#address = address;
    this.#client = undefined;
  }

  /** Sends a line after those before it. */
  write(urn: string, message: string, severity: "info" | "error"): void {
    if (this.#address === undefined || message === "") return;
    this.#client ??= new Client(this.#address, credentials.createInsecure());
    const client = this.#client;
    this.#sent = this.#sent.then(() => send(client, urn, message, severity)).catch(() => undefined);
  }

  /** Waits until the engine has every line: it takes none once the update is over. */
  flush(): Promise<void> {
    return this.#sent;
  }
}

async function send(client: Client, urn: string, message: string, severity: "info" | "error"): Promise<void> {
  const { default: engine } = await import("@pulumi/pulumi/proto/engine_pb.js");
  const { INFO, ERROR } = engine.LogSeverity;
  const line = new engine.LogRequest()
    .setUrn(urn)
    .setMessage(message)
    .setSeverity(severity === "error" ? ERROR : INFO);
  await new Promise<void>((resolve) =>
    client.makeUnaryRequest(
      "/pulumirpc.Engine/Log",
      (request: typeof line) => Buffer.from(request.serializeBinary()),
      () => undefined,
      line,
      { deadline: Date.now() + 5_000 },
      () => resolve(),
    ),
  );
}

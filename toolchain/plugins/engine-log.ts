import type { Client } from "@grpc/grpc-js";

/** Sends lines to the engine, which shows them beside the resource they belong to. Never fails: a lost line is only a lost line. */
export class EngineLog {
  #address: string | undefined;
  #client: Promise<Client> | undefined;

  constructor(address: string | undefined) {
    this.#address = address;
  }

  /** The engine that wants the lines from now on. */
  attach(address: string): void {
    this.#address = address;
    this.#client = undefined;
  }

  write(urn: string, message: string, severity: "info" | "error"): void {
    if (this.#address === undefined || message === "") return;
    this.#client ??= connect(this.#address);
    void Promise.all([this.#client, import("@pulumi/pulumi/proto/engine_pb.js")]).then(
      ([client, { default: engine }]) => {
        const { INFO, ERROR } = engine.LogSeverity;
        const line = new engine.LogRequest()
          .setUrn(urn)
          .setMessage(message)
          .setSeverity(severity === "error" ? ERROR : INFO);
        client.makeUnaryRequest(
          "/pulumirpc.Engine/Log",
          (request: typeof line) => Buffer.from(request.serializeBinary()),
          () => undefined,
          line,
          () => undefined,
        );
      },
      () => undefined,
    );
  }
}

async function connect(address: string): Promise<Client> {
  const { Client, credentials } = await import("@grpc/grpc-js");
  return new Client(address, credentials.createInsecure());
}

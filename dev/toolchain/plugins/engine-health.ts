import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";

/** How often a real plugin looks whether its engine is still there. */
export const FIVE_MINUTES = 300_000;

/** Resolves when the engine at `address` no longer answers; polls every `everyMs` milliseconds. */
export async function whenGone(address: string, everyMs: number): Promise<void> {
  const client = new Client(address, credentials.createInsecure());
  try {
    do await new Promise((resolve) => setTimeout(resolve, everyMs));
    while (await answers(client));
  } finally {
    client.close();
  }
}

/** Whether the engine answers, even if only that there is no such method, as Pulumi's does. */
function answers(client: Client): Promise<boolean> {
  const nothing = Buffer.alloc(0);
  return new Promise((resolve) =>
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      () => nothing,
      () => undefined,
      undefined,
      { deadline: Date.now() + 5_000 },
      (error: ServiceError | null) => resolve(error === null || error.code === status.UNIMPLEMENTED),
    ),
  );
}

import { join } from "node:path";
import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { type AwsKey, MotoIam } from "./moto-iam";
import { PollAbort, poll } from "./poll";
import { onFreePort } from "./ports";
import { logTail, startProcess } from "./processes";

/** What {@link startMoto} takes. */
export interface MotoOptions {
  /** Folder of the lab; the log goes there. */
  readonly dir: string;
  /** Path of `moto_server`. */
  readonly bin: string;
}

/** An emulator of AWS on loopback: Secrets Manager, S3 and the rest. It checks no permissions unless {@link iam} is told to. */
export interface Moto {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  readonly region: string;
  readonly logFile: string;
  /** AWS_*: an administrator's key, region and endpoint. */
  readonly env: Readonly<Record<string, string>>;
  /** Secrets Manager, as an administrator uses it. */
  readonly secrets: SecretsManager;
  readonly iam: MotoIam;
  stop(): Promise<void>;
}

const REGION = "us-east-1";

/** Starts `moto_server` on a free port (about two seconds). What it holds is gone with it. */
export function startMoto(options: MotoOptions): Promise<Moto> {
  return onFreePort((port) => startOn(port, options));
}

async function startOn(port: number, { dir, bin }: MotoOptions): Promise<Moto> {
  const address = `http://127.0.0.1:${port}`;
  const logFile = join(dir, "moto.log");
  const server = await startProcess({ command: bin, args: ["-H", "127.0.0.1", "-p", String(port)], logFile });
  try {
    await poll(
      async () => {
        const end = server.ended();
        if (end) throw new PollAbort(new Error(`moto ended with ${end}:\n${logTail(logFile)}`));
        return (await fetch(`${address}/moto-api/`)).ok;
      },
      { what: `moto on ${address}`, limitMs: 60_000 },
    );
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const { default: sdk } = await import("@aws-sdk/client-secrets-manager");
    const iam = new MotoIam(address);
    const credentials = await iam.user("administrator", [{ Effect: "Allow", Action: "*", Resource: "*" }]);
    const secrets = new sdk.SecretsManager({ endpoint: address, region: REGION, credentials });
    return {
      address,
      region: REGION,
      logFile,
      env: environment(address, credentials),
      secrets,
      iam,
      async stop() {
        secrets.destroy();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const environment = (address: string, { accessKeyId, secretAccessKey }: AwsKey) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_REGION: REGION,
  AWS_ENDPOINT_URL: address,
});

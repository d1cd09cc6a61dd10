import { request as forward } from "node:http";
import { text } from "node:stream/consumers";
import { type HttpServer, startHttp } from "../../../dev/lab/http";
import type { AwsKey } from "../../../dev/lab/moto-iam";

/** The emulator, but a refused call of Secrets Manager is answered as AWS does: the emulator answers IAM's XML to it. */
export function startAwsFront(moto: string): Promise<HttpServer> {
  return startHttp((asked, answer) => {
    const { method, headers } = asked;
    const outgoing = forward(new URL(asked.url ?? "/", moto), { method, headers }, async (came) => {
      const body = await text(came);
      const [, message] = /<Code>AccessDenied<.*<Message>(.*?)</s.exec(body) ?? [];
      if (message === undefined || headers["x-amz-target"] === undefined) {
        const { "transfer-encoding": _, ...rest } = came.headers;
        answer.writeHead(came.statusCode ?? 502, rest).end(body);
        return;
      }
      answer.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
      answer.end(JSON.stringify({ __type: "AccessDeniedException", message }));
    });
    outgoing.on("error", () => answer.destroy());
    asked.pipe(outgoing);
  });
}

/** A profile of `~/.aws/credentials`. */
export const profileOf = (name: string, { accessKeyId, secretAccessKey }: AwsKey) =>
  `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;

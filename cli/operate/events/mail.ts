import { createTransport } from "nodemailer";
import { publicTrust } from "../../../clients/trust";
import type { NotifyConfig } from "../../../config";
import { messageOf as reasonOf } from "../../../core/errors";
import { OperationError } from "../errors";
import type { Message } from "./message";

export type EmailConfig = NonNullable<NotifyConfig["email"]>;

const TIMEOUT = 15_000;

/** The text of a mail. */
export function mailText({ title, text, command, fields, footer }: Message): string {
  return [
    title,
    "",
    text,
    "",
    fields.map(([name, value]) => `${name.toLowerCase()} ${value}`).join(", "),
    ...(command === undefined ? [] : ["", `    ${command}`]),
    "",
    footer,
  ].join("\n");
}

/**
 * Sends a mail over TLS to one of the config's recipients; its header names all of them. Each gets a mail of its own: if a
 * server took one recipient and refused another, the mail would count as sent.
 * @throws OperationError without the password
 */
export async function sendMail(email: EmailConfig, message: Message, recipient: string): Promise<void> {
  const { host, port, encryption, verifyCertificate, user, password, from, to } = email;
  const transport = createTransport({
    host,
    port,
    secure: encryption === "tls",
    requireTLS: true,
    tls: { ...publicTrust(), rejectUnauthorized: verifyCertificate },
    connectionTimeout: TIMEOUT,
    greetingTimeout: TIMEOUT,
    socketTimeout: TIMEOUT,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
  });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      envelope: { from, to: [recipient] },
      subject: `[rotation] ${message.title}`,
      text: mailText(message),
    });
  } catch (error) {
    throw new OperationError(`${host}:${port} did not accept the mail: ${reasonOf(error)}`);
  } finally {
    transport.close();
  }
}

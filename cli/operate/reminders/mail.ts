import { createTransport } from "nodemailer";
import { publicTrust } from "../../../clients/trust";
import type { NotifyConfig } from "../../../config";
import { messageOf } from "../../../core/errors";
import { OperationError } from "../errors";
import type { Reminder } from "./kinds";
import { wordsOf } from "./words";

export type EmailConfig = NonNullable<NotifyConfig["email"]>;

const TIMEOUT = 15_000;

/** The text of a reminder's mail. */
export function mailText(reminder: Reminder): string {
  const { title, text, command } = wordsOf(reminder);
  const { stack, environment, ageDays, maxAgeDays, generation } = reminder;
  return [
    title,
    "",
    text,
    "",
    `stack ${stack}, environment ${environment}, generation ${generation}, age ${ageDays ?? "unknown"} of ${maxAgeDays} days`,
    ...(command === undefined ? [] : ["", `    ${command}`]),
    "",
    "Sent once by `rotation remind`.",
  ].join("\n");
}

/**
 * Sends a mail over TLS to one of the config's recipients; its header names all of them. Each gets a mail of its own: if a
 * server took one recipient and refused another, the mail would count as sent.
 * @throws OperationError without the password
 */
export async function sendMail(email: EmailConfig, reminder: Reminder, recipient: string): Promise<void> {
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
      subject: `[rotation] ${wordsOf(reminder).title}`,
      text: mailText(reminder),
    });
  } catch (error) {
    throw new OperationError(`${host}:${port} did not accept the mail: ${messageOf(error)}`);
  } finally {
    transport.close();
  }
}

import type { Socket } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { randomSecret, type SecretGenerator } from "./secrets";

/**
 * How the mail server fails: with a code (450 is worth another try, 550 is not) for the sender, or for the recipients in
 * `refuse` alone; by hanging up at once, or as soon as a recipient in `dropAfter` was taken.
 */
export type SmtpFault =
  | { code: number; message?: string }
  | { refuse: Readonly<Record<string, number>> }
  | { dropAfter: readonly string[] }
  | { drop: true };

/** A mail that arrived. */
export interface Mail {
  at: Date;
  from: string;
  to: string[];
  /** The message as it was sent, headers included. */
  raw: string;
  /** Whether it came over TLS. */
  encrypted: boolean;
}

/** Takes mail for anybody and delivers none. */
export interface Smtp {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** What arrived, oldest first. */
  messages(): readonly Mail[];
  /** Lets it fail until `undefined` ends it. */
  setFault(fault: SmtpFault | undefined): void;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";

/** Starts the sink: STARTTLS with a self-signed certificate, login with user and password or without. */
export async function startSmtp(options: { secret?: SecretGenerator } = {}): Promise<Smtp> {
  const [user, password] = ["rotation", (options.secret ?? randomSecret)("smtp")];
  const received: Mail[] = [];
  let fault: SmtpFault | undefined;
  const server = new SMTPServer({
    authOptional: true,
    // It offers a login also before STARTTLS: nothing leaves this machine.
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) done(null, { user });
      else done(new Error("Invalid username or password"));
    },
    onMailFrom(_address, _session, done) {
      done(fault && "code" in fault ? smtpError(fault) : undefined);
    },
    onRcptTo({ address }, _session, done) {
      const code = fault && "refuse" in fault ? fault.refuse[address] : undefined;
      if (fault && "dropAfter" in fault && fault.dropAfter.includes(address)) hangUp(server);
      done(code === undefined ? undefined : smtpError({ code }));
    },
    onConnect(_session, done) {
      done(fault && "drop" in fault ? smtpError({ code: 421, message: "closing" }) : undefined);
    },
    onData: collect((mail) => received.push(mail)),
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.server.address();
  return {
    host: HOST,
    port: typeof address === "object" && address ? address.port : 0,
    user,
    password,
    messages: () => received,
    setFault: (next) => {
      fault = next;
    },
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Ends every connection once the answer under way is out. */
function hangUp({ connections }: SMTPServer): void {
  setImmediate(() => {
    for (const { _socket: socket } of connections as unknown as Set<{ _socket: Socket }>) socket.destroy();
  });
}

function collect(keep: (mail: Mail) => void): NonNullable<SMTPServerOptions["onData"]> {
  return (stream, session, done) => {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const { mailFrom, rcptTo } = session.envelope;
      keep({
        at: new Date(),
        from: mailFrom ? mailFrom.address : "",
        to: rcptTo.map((recipient) => recipient.address),
        raw: Buffer.concat(parts).toString("utf8"),
        encrypted: session.secure,
      });
      done();
    });
  };
}

function smtpError({ code, message }: { code: number; message?: string }): Error {
  return Object.assign(new Error(message ?? "a fault of the lab"), { responseCode: code });
}

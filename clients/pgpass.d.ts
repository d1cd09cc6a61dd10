declare module "pgpass/lib/helper.js" {
  interface Connection {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  }

  /** PGPASSFILE, else `~/.pgpass`. */
  export function getFileName(): string;

  /** The password that such a file has for a connection; undefined if there is none. */
  export function getPassword(
    connection: Connection,
    file: NodeJS.ReadableStream,
    found: (password: string | undefined) => void,
  ): void;
}

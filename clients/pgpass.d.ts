declare module "pgpass" {
  interface Connection {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  }

  /** The password that PGPASSFILE (default `~/.pgpass`) has for a connection; undefined if there is none. */
  export default function pgpass(connection: Connection, found: (password: string | undefined) => void): void;
}

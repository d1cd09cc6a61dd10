import * as z from "zod";
import { hostReference } from "../../clients/ssh-connect";

/** Services that reach the database in the same way. */
const reader = z.object({
  services: z.array(z.string()),
  /** The paths that they use, as the config names them. Default: all; one that the login in use cannot go is none of theirs. */
  paths: z.array(z.string()).optional(),
  /** A command whose standard input and output are a connection to `{host}` and `{port}`. */
  relay: z.string().optional(),
  sslmode: z.string().optional(),
  /** A file with authorities, where the services run. */
  sslrootcert: z.string().optional(),
  /** Further parameters of the startup message. */
  parameters: z.record(z.string(), z.string()).optional(),
  /** A file with the services' own token for Vault, where they run. */
  tokenFile: z.string().optional(),
});

export type Reader = z.output<typeof reader>;

/** The readers of one host, or of this machine. */
export const place = z.object({
  host: hostReference.extend({ name: z.string() }).optional(),
  readers: z.array(reader),
});

export type Place = z.output<typeof place>;

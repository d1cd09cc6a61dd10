import * as z from "zod";
import { databaseReference } from "../../../clients/postgres";
import { hostReference, sshKey } from "../../../clients/ssh-connect";
import { secret } from "../../../core/secret-fields";
import { storeReference } from "../../../stores/schemas";
import { databasePath } from "../paths/prove";

/** Services that reach the database in the same way. */
export const reader = z.object({
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

const login = z.object({ username: z.string(), password: secret(z.string()) });

export type RehearsedLogin = z.output<typeof login>;

/** What a rehearsal needs besides the database, its paths and the new login. */
export const rehearsalInput = z.object({
  places: z.array(place),
  /** Opens every host. */
  privateKey: sshKey.optional(),
  /** The platform's own role. */
  owner: z.string(),
  /** The login in use, if it is another one and its password is known. */
  old: login.optional(),
  /** Whether a difference stops the rotation; else it is a warning: waiting would be worse. */
  strict: z.boolean(),
  /** The store and the paths that services read, if a service has a token of its own. */
  store: z.object({ reference: storeReference, paths: z.array(z.string()) }).optional(),
});

export type RehearsalInput = z.output<typeof rehearsalInput>;

/** All of it. */
export const rehearsal = rehearsalInput.extend({
  database: databaseReference,
  paths: z.array(databasePath),
  login,
  /** Whether it is the login in use: services work with it, so that a way on which it fails is none of theirs. Default false. */
  isInUse: z.boolean().optional(),
});

export type Rehearsal = z.output<typeof rehearsal>;

import * as z from "zod";
import { databaseReference } from "../../../clients/postgres";
import { sshKey } from "../../../clients/ssh-connect";
import { secret } from "../../../core/secret-fields";
import { storeReference } from "../../../stores/schemas";
import { place } from "../../own-password/place";
import { databasePath } from "../paths/prove";

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

import * as z from "zod";
import { databaseReference } from "../../../clients/postgres";
import type { KindChecks } from "../../../components/preflight/preflight";
import { place } from "../../own-password/place";
import { databasePath } from "../paths/prove";
import { keptList } from "../paths/userlist";
import { loginsInput } from "./asked";
import { checkCurrentLogin, checkDatabase } from "./database";
import { checkLoginRole } from "./login-role";
import { pathChecks } from "./paths";
import { readerChecks } from "./readers";

const input = databaseReference.extend({
  roles: z.array(z.string()),
  logins: loginsInput,
  /** Other ways to the database that services use. */
  paths: z.array(databasePath).default([]),
  /** The poolers' user lists that this pipeline keeps. */
  lists: z.array(keptList).default([]),
  /** From where the login in use is tried, if it is the same one after the rotation. */
  places: z.array(place).default([]),
});

/** What the preflight checks for a password that this pipeline makes. */
export const passwordChecks: KindChecks<z.output<typeof input>> = {
  input,
  of: (database, { mode, whenForeign, current, privateKey, force }) => ({
    isStored: true,
    checks: [
      { name: "database", run: () => checkDatabase(database, database.roles) },
      { name: "login role", needs: ["database"], run: () => checkLoginRole(database, database.logins, mode) },
      ...pathChecks(database, force ? undefined : current, privateKey),
      ...readerChecks(database, force ? undefined : current, privateKey, mode),
    ],
    proveLogin: (login) => checkCurrentLogin(database, login, whenForeign),
  }),
};

import * as z from "zod";
import { databaseReference } from "../../../clients/postgres";
import type { KindChecks } from "../../../components/preflight/preflight";
import { loginsInput } from "./asked";
import { checkCurrentLogin, checkDatabase } from "./database";
import { checkLoginRole } from "./login-role";

const input = databaseReference.extend({ roles: z.array(z.string()), logins: loginsInput });

/** What the preflight checks for a password that this pipeline makes. */
export const passwordChecks: KindChecks<z.output<typeof input>> = {
  input,
  of: (database, { mode, whenForeign }) => ({
    isStored: true,
    checks: [
      { name: "database", run: () => checkDatabase(database, database.roles) },
      { name: "login role", needs: ["database"], run: () => checkLoginRole(database, database.logins, mode) },
    ],
    proveLogin: (login) => checkCurrentLogin(database, login, whenForeign),
  }),
};

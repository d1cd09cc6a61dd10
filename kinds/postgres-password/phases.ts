import type { Acting, PhaseTable } from "../../core/phases";

/** The parts of the rotation of a password that this stack makes, besides the common ones. */
export const postgresPasswordPhases = {
  steps: {
    "copy-role": { phase: "database", words: ({ newInputs }) => copied(newInputs.stdin) },
    // Its component describes it.
    "set-role": { phase: "database", words: () => undefined },
    "verify-login": { phase: "verify" },
    "pooler-users": { phase: "database", words: ({ name }) => listed(name) },
    "pooler-reconnect": { phase: "confirm", words: () => "lets PgBouncer's connections to the server begin anew" },
  },
  components: {
    "secret-rotation:index:LoginRole": { phase: "database", words: (resource, { acts }) => login(resource, acts) },
  },
  resources: {
    "random:index/randomPassword:RandomPassword": { phase: "new value", holdsCredential: true },
    "postgresql:index/role:Role": {
      phase: "database",
      holdsCredential: true,
      words: (resource) => role(resource),
    },
  },
} as const satisfies PhaseTable;

interface Copied {
  readonly from?: string;
  readonly to?: string;
  /** If it is false, the step does nothing. */
  readonly acts?: boolean;
}

function copied(stdin: unknown): string | undefined {
  try {
    const { from, to, acts } = JSON.parse(String(stdin)) as Copied;
    return to === undefined || acts === false ? undefined : `gives the role ${to} the settings and limits of ${from}`;
  } catch {
    return undefined;
  }
}

/** Before the store is written, and after the restarts; the input itself is secret. */
const listed = (name: string): string =>
  name.endsWith("-settle")
    ? "takes the logins that have ended out of PgBouncer's user list"
    : "writes the login's verifier into PgBouncer's user list, which PgBouncer reads anew";

/** Of a role that services log in with: its password, and whether it may log in. */
function login({ op, oldInputs, newInputs }: Acting, acts: boolean): string {
  const name = String(newInputs.role ?? oldInputs.role ?? "?");
  const { login: may, activation, verifier, copies } = newInputs;
  const before = oldInputs.login;
  if (op === "create" && may !== false && (!acts || (activation ?? "") === ""))
    return `adopts the login of the role ${name} as it is`;
  if (may === false)
    return before === undefined
      ? `does not allow the role ${name} to log in yet`
      : `revokes the login of the role ${name}`;
  if (activation !== "" && activation !== oldInputs.activation && verifier !== undefined)
    return (
      `gives the role ${name} its password (${verifier})${before === false ? " and lets it log in" : ""}` +
      (copies === undefined ? "" : `; then the settings and limits of ${copies}`)
    );
  return before === undefined ? `keeps the login of the role ${name}` : `lets the role ${name} log in`;
}

/** The plugin makes the roles that log in and never changes them: their logins are {@link login}'s. */
function role({ op, oldInputs, newInputs }: Acting): string {
  const name = String(newInputs.name ?? oldInputs.name ?? "?");
  if (op === "import") return `adopts the role ${name} as it is`;
  return op.includes("create")
    ? `makes the role ${name}, which may not log in yet`
    : `brings the role ${name} up to date`;
}

import type { ResourceValidationPolicy } from "@pulumi/policy";

type Props = Readonly<Record<string, unknown>>;

/** The least number of days in which AWS can restore a deleted secret. */
const SHORTEST_WINDOW = 7;

/** What must hold so that removing a resource from the stack destroys nothing; a message if it does not hold. */
const RETAINED: Readonly<Record<string, (props: Props) => string | undefined>> = {
  "vault:kv/secretV2:SecretV2": ({ deleteAllVersions }) =>
    deleteAllVersions === true
      ? "expected `deleteAllVersions: false`: otherwise the rollback copies are deleted too"
      : undefined,
  "vault:generic/endpoint:Endpoint": ({ path, disableDelete }) =>
    String(path).includes("/metadata/") && disableDelete !== true
      ? "expected `disableDelete: true`: deleting a secret's metadata destroys every version of it"
      : undefined,
  "aws:secretsmanager/secret:Secret": ({ recoveryWindowInDays: days = 30 }) =>
    Number(days) < SHORTEST_WINDOW
      ? `expected a recovery window of ${SHORTEST_WINDOW} to 30 days, found ${days}`
      : undefined,
  "postgresql:index/role:Role": ({ skipDropRole, skipReassignOwned }) =>
    skipDropRole !== true || skipReassignOwned !== true
      ? "expected `skipDropRole: true` and `skipReassignOwned: true`: the role and its objects outlive the stack"
      : undefined,
};

export const secretsRetained: ResourceValidationPolicy = {
  name: "secrets-retained",
  description: "Removing a secret from the stack, or destroying the stack, leaves its values and its role as they are.",
  validateResource: ({ type, props }, report) => {
    const message = RETAINED[type]?.(props);
    if (message !== undefined) report(message);
  },
};

/** The runbook's length. */
const LENGTH = 24;

export const strongPasswords: ResourceValidationPolicy = {
  name: "strong-password",
  description: "A password has 24 characters or more, of all four kinds, and is replaced only by a new generation.",
  validateResource: ({ type, props }, report) => {
    if (type !== "random:index/randomPassword:RandomPassword") return;
    const { length, keepers } = props;
    if (Number(length) < LENGTH) report(`expected at least ${LENGTH} characters, found ${length}`);
    for (const kind of ["minLower", "minUpper", "minNumeric", "minSpecial"]) {
      if (!(Number(props[kind]) >= 1)) report(`expected ${kind} of at least 1, found ${props[kind] ?? 0}`);
    }
    const found = Object.keys(keepers ?? {});
    if (found.length !== 1 || found[0] !== "generation") {
      report(`expected one keeper, \`generation\`, found ${found.join(", ") || "none"}`);
    }
  },
};

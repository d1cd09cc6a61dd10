import { identifier } from "../../../core/login-view";
import { logsPassword } from "../set-password";
import type { Asked, Found } from "./asked";

/** Whether the server takes a password in the form in which this program gives it. Asks, and changes nothing. */
export async function formProblems(asked: Asked): Promise<Found[]> {
  const settings = await passwordSettings(asked);
  const { passwordAs: as = "scram" } = asked.logins;
  return [
    ...(await restricted(asked, settings)),
    ...(as === "scram" ? verifierProblems(settings) : await plainProblems(asked)),
  ];
}

type Settings = Readonly<Record<string, string | undefined>>;

const NAMES = [
  "credcheck.encrypted_password_allowed",
  "rds.restrict_password_commands",
  "azure.accepted_password_auth_method",
];

async function passwordSettings({ client }: Asked): Promise<Settings> {
  // Who may not see the libraries would get an error for them, so they are looked up where they are hidden instead.
  const { rows } = await client.query(
    `SELECT name, current_setting(name, true) AS value FROM unnest($1::text[]) AS name
     UNION ALL SELECT name, setting FROM pg_settings WHERE name = 'shared_preload_libraries'`,
    [NAMES],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value === null || value === "" ? undefined : value]));
}

const isOn = (value: string | undefined) => ["on", "true", "yes", "1"].includes(value?.toLowerCase() ?? "");

/** Amazon RDS: only members of `rds_password` may change a password, in whatever form. */
async function restricted({ client, admin }: Asked, settings: Settings): Promise<Found[]> {
  if (!isOn(settings["rds.restrict_password_commands"])) return [];
  const { rows } = await client.query(
    "SELECT pg_has_role(oid, 'MEMBER') AS member FROM pg_roles WHERE rolname = 'rds_password'",
  );
  if (rows[0]?.member === true) return [];
  const text =
    `rds.restrict_password_commands is on, and ${admin.name} is no member of rds_password, so it may change no password: ` +
    `\`GRANT rds_password TO ${identifier(admin.name)}\``;
  return [{ refuse: true, text }];
}

/** Servers that refuse a verifier, which hides the password from their rules. */
function verifierProblems(settings: Settings): Found[] {
  const found: string[] = [];
  const libraries = settings.shared_preload_libraries?.split(",").map((name) => name.trim().replaceAll('"', "")) ?? [];
  const allowed = settings["credcheck.encrypted_password_allowed"];
  if ((libraries.includes("credcheck") || allowed !== undefined) && !isOn(allowed))
    found.push(
      "credcheck refuses a password that is hashed already: `ALTER SYSTEM SET credcheck.encrypted_password_allowed = on; " +
        `SELECT pg_reload_conf()\`; or ${PLAIN}`,
    );
  const accepted = settings["azure.accepted_password_auth_method"];
  if (accepted !== undefined && !/scram/i.test(accepted))
    found.push(
      `azure.accepted_password_auth_method is ${accepted}, so no login with SCRAM-SHA-256 is possible: add SCRAM-SHA-256 to that ` +
        `server parameter; or ${PLAIN}`,
    );
  return found.map((text) => ({ refuse: true, text }));
}

const PLAIN = "set `passwordAs: plain` for this secret (docs/secret-shapes.md says what the server sees then)";

/** A plain password must not reach the server's log. */
async function plainProblems({ client, admin }: Asked): Promise<Found[]> {
  const loud = await logsPassword(client);
  if (loud.length === 0) return [];
  const names = loud.map((setting) => setting.split(" ")[0]);
  const text =
    `passwordAs: plain, and the server would log the password (${loud.join(", ")}), which ${admin.name} may not turn off for ` +
    `itself: ${names.map((name) => `\`GRANT SET ON PARAMETER ${name} TO ${identifier(admin.name)}\``).join(", ")} ` +
    "(PostgreSQL 15 and newer), or `log_parameter_max_length = 0`";
  return [{ refuse: true, text }];
}

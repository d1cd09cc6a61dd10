import { activation, activeGeneration, other, type SecretState, type SlotIndex } from "../../../core/state";
import { activeUsername, ownerMayLogin, slotMayLogin } from "../../../kinds/postgres-password/roles";

/** A PostgreSQL role; `value` stands for its password. */
export interface Role {
  readonly login: boolean;
  readonly value: string;
}

export interface Login {
  readonly user: string;
  readonly value: string;
}

/** Everything outside the program that a rotation changes, as small as it can be. */
export interface Platform {
  readonly roles: Readonly<Record<string, Role>>;
  /** Each path with the mark that says what belongs together (the generation, in the resources' inputs). */
  readonly store: Readonly<
    Record<"username" | "password", { readonly value: string; readonly mark: string } | undefined>
  >;
  /** What each service holds in memory. */
  readonly services: readonly Login[];
  /** Step keys of the log's rows, in their order. */
  readonly rows: readonly string[];
}

/** What the engine remembers: the inputs with which each resource was last carried out, and the slots' values. */
export interface Saved {
  readonly inputs: Readonly<Record<string, string>>;
  readonly values: readonly [string, string];
}

/** One resource that acts: carried out where its inputs differ from the saved ones. */
export interface Effect {
  readonly name: string;
  readonly inputs: string;
  readonly act: (platform: Platform, savedInputs: string | undefined) => Platform;
}

export type Strategy = "alternating-users" | "single-user";

export const SERVICES = 2;
const OWNER = "trader";

export const works = ({ roles }: Platform, { user, value }: Login) =>
  roles[user]?.login === true && roles[user]?.value === value;

/** What the store says to somebody who reads it now; undefined while name and password do not belong together. */
export function readStore({ store: { username, password } }: Platform): Login | undefined {
  if (password === undefined) return undefined;
  if (username === undefined) return { user: OWNER, value: password.value };
  // A mark on one alone: the pipeline writes the name first, so the password is still the one before.
  return username.mark === password.mark ? { user: username.value, value: password.value } : undefined;
}

/** The credential of a slot. Generation 0 is the adopted one. */
export function credentialOf(strategy: Strategy, state: SecretState, slot: SlotIndex, values: Saved["values"]): Login {
  const user = activeUsername(strategy, OWNER, { ...state, active: slot });
  return { user, value: state.slots[slot] === 0 ? "v0" : values[slot] };
}

/** The platform before the first update, and an engine that knows nothing. */
export function before(): Platform {
  const login = { user: OWNER, value: "v0" };
  return {
    roles: { [OWNER]: { login: true, value: "v0" } },
    store: { username: undefined, password: { value: "v0", mark: "" } },
    services: Array.from({ length: SERVICES }, () => login),
    rows: [],
  };
}

export const stepKeyOf = ({ step: { sequence, action, generation } }: SecretState) =>
  `${sequence}-${action}-${generation}`;

/**
 * The effects of an update in the order of kinds/postgres-password/component.ts and login-roles.ts. The values are those of
 * the slots after the update has filled them.
 */
export function effectsOf(strategy: Strategy, state: SecretState, values: Saved["values"]): Effect[] {
  const { active } = state;
  const now = credentialOf(strategy, state, active, values);
  const roles = rolesOf(strategy, state, values, now);
  return [
    ...roles.ready,
    verifyLogin(state, now),
    ...storeEffects(strategy, state, now),
    ...Array.from({ length: SERVICES }, (_, index) => restart(state, index)),
    ...roles.settle,
    auditRow(state),
  ];
}

function rolesOf(strategy: Strategy, state: SecretState, values: Saved["values"], now: Login) {
  const role = (name: string, next: Partial<Role>): Effect => ({
    name: `role ${name}`,
    inputs: JSON.stringify(next),
    // As the provider: only what differs from the saved inputs is set.
    act: (platform, savedInputs) => {
      const known = JSON.parse(savedInputs ?? "{}") as Partial<Role>;
      const changed = Object.entries(next).filter(([key, value]) => known[key as keyof Role] !== value);
      const was = platform.roles[name] ?? { login: false, value: "" };
      return { ...platform, roles: { ...platform.roles, [name]: { ...was, ...Object.fromEntries(changed) } } };
    },
  });
  if (strategy === "single-user") return { ready: [role(OWNER, { login: true, value: now.value })], settle: [] };
  const owner = role(OWNER, { login: ownerMayLogin(state) });
  const member = (slot: SlotIndex) =>
    role(`${OWNER}_${"ab"[slot]}`, { login: slotMayLogin(state, slot), value: values[slot] });
  const [active, inactive] = [member(state.active), member(other(state.active))];
  return activeGeneration(state) === 0
    ? { ready: [owner], settle: [inactive, active] }
    : { ready: [active], settle: [owner, inactive] };
}

/** The step that logs in with the active credential, and sets the role right where that is refused. */
function verifyLogin(state: SecretState, now: Login): Effect {
  return {
    name: "verify login",
    inputs: activation(state),
    act: (platform) =>
      works(platform, now)
        ? platform
        : { ...platform, roles: { ...platform.roles, [now.user]: { login: true, value: now.value } } },
  };
}

function storeEffects(strategy: Strategy, state: SecretState, now: Login): Effect[] {
  const mark = String(activeGeneration(state));
  const write = (path: "username" | "password", value: string): Effect => ({
    name: `store ${path}`,
    // What a rollback writes names its request: it is written also where a killed update wrote after the saved inputs.
    inputs: `${value} ${mark} ${state.activatedBy ?? ""}`,
    act: (platform) => ({ ...platform, store: { ...platform.store, [path]: { value, mark } } }),
  });
  const password = write("password", now.value);
  return strategy === "single-user" ? [password] : [write("username", now.user), password];
}

/** A service that is restarted reads the store, proves what it read, and else stays as it is: the health gate fails. */
function restart(state: SecretState, index: number): Effect {
  return {
    name: `restart ${index}`,
    inputs: activation(state),
    act: (platform) => {
      const read = readStore(platform);
      if (read === undefined || !works(platform, read)) throw new Error(`service ${index} does not become healthy`);
      return { ...platform, services: platform.services.map((held, at) => (at === index ? read : held)) };
    },
  };
}

/** The database refuses a second row with the same key. */
function auditRow(state: SecretState): Effect {
  const key = stepKeyOf(state);
  return {
    name: "audit row",
    inputs: key,
    act: (platform) => (platform.rows.includes(key) ? platform : { ...platform, rows: [...platform.rows, key] }),
  };
}

/** The slots' values once the update has filled them: a slot whose generation changed gets a new one. */
export function fill(saved: Saved, state: SecretState, fills: Readonly<Record<string, number>>) {
  let count = fills;
  const value = (slot: SlotIndex) => {
    const generation = String(state.slots[slot]);
    if (saved.inputs[`slot ${slot}`] === generation) return saved.values[slot];
    count = { ...count, [generation]: (count[generation] ?? 0) + 1 };
    return `v${generation}${state.slots[slot] <= 0 ? `slot${slot}` : ""}#${count[generation]}`;
  };
  const values = [value(0), value(1)] as const;
  const inputs = { ...saved.inputs, "slot 0": String(state.slots[0]), "slot 1": String(state.slots[1]) };
  return { saved: { inputs, values } satisfies Saved, fills: count };
}

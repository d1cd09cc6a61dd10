import type { Decision } from "../../../core/decide";
import { activation, other, type SecretState } from "../../../core/state";

/** A login in the model: a role's slot, and a number for its password. */
interface Login {
  readonly slot: 0 | 1;
  readonly value: number;
}

const SERVICES = 2;

interface Step {
  readonly name: string;
  readonly act: (now: number) => void;
}

/** What a step changes. */
interface Mutable {
  finished: SecretState;
  recorded: SecretState;
  values: readonly [number, number];
  newest: number;
  roles: readonly [number | undefined, number | undefined];
  store: Login;
  services: readonly Login[];
}

/** The audit log of all stacks: a second row with the same key is refused, as `audit/log.ts` does. */
export class Log {
  readonly rows: { readonly key: string; readonly at: number }[] = [];
  private readonly keys = new Set<string>();

  append(key: string, at: number): void {
    if (this.keys.has(key)) return;
    this.keys.add(key);
    this.rows.push({ key, at });
  }
}

/**
 * A model of one stack: PostgreSQL's two logins, the store, two services, and what the engine remembers. It stands for the
 * engine's promise: a finished step is in the state, and one that was interrupted is repeated.
 */
export class Platform {
  finished: SecretState | undefined;
  recorded: SecretState | undefined;
  private readonly done = new Set<string>();
  private values: readonly [number, number] = [0, 0];
  private newest = 0;
  private roles: readonly [number | undefined, number | undefined] = [0, 0];
  private store: Login;
  private services: readonly Login[];

  constructor(
    private readonly secret: string,
    first: SecretState,
    private readonly log: Log,
  ) {
    this.finished = first;
    this.recorded = first;
    this.store = { slot: first.active, value: 0 };
    this.services = Array.from({ length: SERVICES }, () => this.store);
  }

  /** The steps of a decision, in the order of the component. Each acts, and then the engine notes it. */
  steps({ state }: Decision): Step[] {
    const { active, step } = state;
    const key = `${step.sequence}-${step.action}-${step.generation}`;
    const login = () => ({ slot: active, value: this.values[active] });
    const set = (part: Partial<Mutable>) => {
      Object.assign(this, part);
    };
    const slot = <T>(of: readonly [T, T], at: 0 | 1, value: T): [T, T] => (at === 0 ? [value, of[1]] : [of[0], value]);
    const ends: Step[] = [
      { name: "audit row", act: (now) => this.log.append(`${this.secret}/${key}`, now) },
      { name: "outputs", act: () => set({ finished: state }) },
    ];
    if (step.action === "REVOKE") {
      const old = () => set({ roles: slot(this.roles, other(active), undefined) });
      return [{ name: `end the old login ${key}`, act: old }, ...ends];
    }
    const once = (name: string, act: () => void) => ({ name: `${name} ${activation(state)}`, act });
    const made = () => set({ newest: this.newest + 1, values: slot(this.values, active, this.newest + 1) });
    const restarted = (at: number) => this.services.map((held, index) => (index === at ? this.store : held));
    return [
      { name: "preflight", act: () => set({ recorded: state }) },
      once("new value", made),
      once("set role", () => set({ roles: slot(this.roles, active, this.values[active]) })),
      once("verify login", () => this.assertWorks(login())),
      once("store", () => set({ store: login() })),
      ...this.services.map((_, at) => once(`restart ${at}`, () => set({ services: restarted(at) }))),
      ...ends,
    ];
  }

  /** Whether the state has this step already. */
  has = (name: string) => this.done.has(name);

  note(name: string): void {
    if (/\d/.test(name)) this.done.add(name);
  }

  private assertWorks({ slot, value }: Login): void {
    if (this.roles[slot] !== value) throw new Error(`${this.secret}: a login in use does not work`);
  }

  /** @throws Error if a service, or a client that reads the store, cannot log in */
  check(): void {
    for (const login of [...this.services, this.store]) this.assertWorks(login);
  }

  /** @throws Error unless store and services have the login in use */
  checkSettled(): void {
    const active = this.finished?.active;
    for (const { slot, value } of [...this.services, this.store])
      if (slot !== active || value !== this.values[slot]) throw new Error(`${this.secret}: a service was left behind`);
  }
}

import { fieldsFrom } from "../../core/template";
import { storeClient } from "../../stores";
import { textAt } from "../../stores/entries";
import type { StoreReference } from "../../stores/schemas";
import type { Reading } from "./order";

/** The parts of a credential by name. In memory alone. */
export type Credential = Readonly<Record<string, string>>;

/** Milliseconds in which a writer of several paths is waited for. */
const PATIENCE = 30_000;

/** Reads what a service that starts now would read. */
export class StoredCredentials {
  /** In the order in which the store had them. */
  readonly all: Credential[] = [];
  private halfSince: number | undefined;

  constructor(
    private readonly reference: StoreReference,
    private readonly reading: Reading,
  ) {}

  /** Reads it again. @throws StepError if the store does not answer */
  async look(now: number): Promise<void> {
    const found = await this.read();
    const last = this.all.at(-1);
    if (found === undefined || (last !== undefined && same(found, last))) return;
    // Two paths are written one after the other, and are marked as a pair: a service does not take half of one.
    const isHalf = last !== undefined && Object.keys(found).some((part) => found[part] === last[part]);
    if (isHalf && Object.keys(found).length > 1 && this.reading.document === undefined && !this.isSingle) {
      this.halfSince ??= now;
      if (now - this.halfSince < PATIENCE) return;
    }
    this.halfSince = undefined;
    this.all.push(found);
  }

  private get isSingle(): boolean {
    return Object.keys(this.reading.values ?? {}).length < 2;
  }

  private async read(): Promise<Credential | undefined> {
    const { defaults, values, document } = this.reading;
    const client = storeClient(this.reference);
    if (document !== undefined) {
      const held = await client.read(document.path);
      const fields = Object.entries(document.keys).map(([key, template]) => {
        const text = textAt(held, key);
        return text === undefined ? {} : fieldsFrom(template, text);
      });
      return whole({ ...defaults, ...Object.assign({}, ...fields) });
    }
    const parts = await Promise.all(
      Object.entries(values ?? {}).map(async ([part, path]): Promise<Credential> => {
        const value = (await client.read(path))?.value;
        return value === undefined ? {} : { [part]: value };
      }),
    );
    return whole(Object.assign({ ...defaults }, ...parts));
  }
}

/** Without any part there is no credential; one that a kind needs is missed by its login. */
const whole = (parts: Credential): Credential | undefined => (Object.keys(parts).length < 2 ? undefined : parts);

const same = (a: Credential, b: Credential) => Object.keys(a).every((part) => a[part] === b[part]);

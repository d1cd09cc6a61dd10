/** On which side of an effect a run is stopped: the request has not gone out yet, or its answer has not come back. */
export type Side = "before" | "after";

/** Which effect of a run: the so-many-th (from 0) of its name. */
export interface EffectRef {
  readonly effect: string;
  readonly nth: number;
}

/** What is held, and by whom it was asked for. */
export interface Held extends EffectRef {
  readonly side: Side;
}

/** The request was never carried out, or its answer never came: the one who waits for it is dead or cut off. */
export class CutOffError extends Error {
  override readonly name = "CutOffError";
}

interface Hold extends Held {
  /** Called with the world stopped; goes on when it resolves. */
  readonly reached: () => Promise<void>;
}

/**
 * Every effect of a run on the outside world goes through here, one after the other. Open, it only writes them down;
 * armed, it stops the world at one of them.
 */
export class EffectGate {
  private seen: EffectRef[] = [];
  private hold: Hold | undefined;
  private stopped: Promise<void> | undefined;
  private isShut = false;
  private underWay = 0;

  /** Begins a new run, open. */
  open(): void {
    this.seen = [];
    this.hold = undefined;
    this.stopped = undefined;
    this.isShut = false;
  }

  /** Begins a new run that stops once at `held`; the world goes on when `reached` resolves. */
  arm(held: Held, reached: () => Promise<void>): void {
    this.open();
    this.hold = { ...held, reached };
  }

  /** Nothing goes through any more: the machine behind is dead. */
  shut(): void {
    this.isShut = true;
  }

  /** Whether no effect is under way. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /** The effects since the run began. */
  get sequence(): readonly EffectRef[] {
    return this.seen;
  }

  /**
   * Carries out an effect. `isAlive` says whether somebody still waits for it, asked after the world was stopped.
   * @throws CutOffError where nobody does
   */
  async around<T>(effect: string, act: () => Promise<T>, isAlive: () => boolean = () => true): Promise<T> {
    const ref = { effect, nth: this.seen.filter((earlier) => earlier.effect === effect).length };
    this.seen.push(ref);
    this.underWay += 1;
    try {
      await this.passes(ref, "before", isAlive);
      const result = await act();
      await this.passes(ref, "after", isAlive);
      return result;
    } finally {
      this.underWay -= 1;
    }
  }

  private async passes(ref: EffectRef, side: Side, isAlive: () => boolean): Promise<void> {
    const { hold } = this;
    if (hold !== undefined && hold.effect === ref.effect && hold.nth === ref.nth && hold.side === side) {
      this.hold = undefined;
      this.stopped = hold.reached();
    }
    await this.stopped;
    if (this.isShut || !isAlive()) throw new CutOffError(`${side} ${ref.effect}`);
  }
}

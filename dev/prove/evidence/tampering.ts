import type { Case } from "./world";

/** One way to tamper, and what the verifier must say of it. */
export interface Tampering {
  readonly name: string;
  /** What the one who tampers can do. */
  readonly by: "superuser of the database" | "writer of a place" | "holder of the bundle";
  /** Tampers with log and places, makes the bundle, and tampers with it. */
  tamper(world: Case): Promise<Buffer>;
  /** In one of the problems. */
  readonly found: RegExp;
}

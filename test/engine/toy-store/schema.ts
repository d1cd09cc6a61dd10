import * as z from "zod";
import { settings } from "../../../core/schema-parts";

const config = settings({
  kind: z.literal("toy"),
  /** Where the files are. */
  folder: z.string().min(1),
});

const reference = z.object({ kind: z.literal("toy"), folder: z.string(), environment: z.string() });

export type ToyConfig = z.output<typeof config>;
export type ToyReference = z.output<typeof reference>;

/** A file for each value: `<folder>/<environment>/<path>.json`. */
export const toySchema = {
  kind: "toy",
  config,
  reference,
  referenceOf: ({ folder }: ToyConfig, environment: string): ToyReference => ({ kind: "toy", folder, environment }),
  placeOf: ({ folder, environment }: ToyReference, path: string) => `${folder}/${environment}/${path}.json`,
  host: () => "localhost",
  onlyInLab: () => [],
  vault: () => undefined,
  marks: "labels",
  plugins: [],
  resources: {},
} as const;

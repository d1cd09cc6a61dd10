import type { AnchorPlaceConfig } from "../../../config/evidence-schema";
import { filePlace } from "./file";
import { gitPlace } from "./git";
import type { AnchorPlace } from "./place";
import { s3Place } from "./s3";

export type { AnchorPlace } from "./place";

/** Whether a place is read without the network. */
export const isLocal = (config: AnchorPlaceConfig): boolean =>
  config.kind === "file" || (config.kind === "git" && config.remote === undefined);

/** A stack's place for anchors. */
export function placeOf(config: AnchorPlaceConfig, stack: string): AnchorPlace {
  switch (config.kind) {
    case "file":
      return filePlace(config.path, stack);
    case "git":
      return gitPlace(config.repository, config.remote, stack);
    case "s3":
      return s3Place(config, stack);
  }
}

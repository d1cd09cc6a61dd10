import { rotationTakes } from "../core/duration-estimate";
import { batchesOf } from "../core/rollout";
import type { ServiceConfig } from "./schema";

type Timed = Pick<ServiceConfig, "timeout" | "hosts" | "rollout" | "before" | "after" | "kubernetes">;

/** How long a rotation that restarts these services may take, in milliseconds. */
export const takes = (services: readonly Timed[]): number =>
  rotationTakes(
    services.map(({ timeout, hosts, rollout, before, after, kubernetes }) => {
      const { batches, canaries } = batchesOf(hosts, rollout);
      const parts = [timeout, before?.timeout, after?.timeout, kubernetes?.sync?.timeout];
      const each = parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
      return { timeout: each, batches: batches.length, bake: canaries * (rollout?.bake ?? 0) };
    }),
  );

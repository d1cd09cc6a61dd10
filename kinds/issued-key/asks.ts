import { requestFor } from "../../components/foreign-advice";
import type { KindAsks } from "../../components/preflight-input";
import { modeOf } from "../../core/decide";
import { activeGeneration } from "../../core/state";
import type { IssuedConfig } from "./issued-kind";

/** What the preflight of a key checks that its issuer makes; what only the issuer knows, the step that verifies it checks. */
export const issuedAsks: KindAsks<IssuedConfig> = {
  modeOf,
  // A rollback and an emergency leave the credential in use behind, whatever the store holds of it.
  asksInUse: (mode, force) => mode === "rotation" || force,
  // Nothing else may be overwritten unseen.
  expected: () => [],
  whenForeign({ name }, { mode, state }, inUse) {
    const wish = mode === "rollback" ? `"activate":${activeGeneration(state)}` : '"rotate":true';
    const known = inUse === undefined || inUse === 0 ? `, or make adopted["${name}"] the values in use` : "";
    return `Nothing was overwritten. Put the values in use back${known}; or overwrite them: ${requestFor(name, `${wish},"force":true`)}, then \`pulumi up\``;
  },
  own: () => ({}),
};

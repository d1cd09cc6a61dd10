import type { KindAsks, KindQuestion } from "../../components/preflight-input";
import { referenceOf } from "../../config";
import { modeOf } from "../../core/decide";
import { isMadeByVault, type VaultPasswordConfig, vaultEngineOf } from "./engine";

/** The common part of the preflights of all that Vault makes: the value is in no store. */
export const madeByVaultAsks: Omit<KindAsks<VaultPasswordConfig>, "own"> = {
  modeOf,
  asksInUse: (mode, force) => mode === "rotation" || force,
  expected: () => undefined,
  whenForeign: () => "",
};

/** The engine and the database, in the preflight's input. */
export const engineAsked = ({ secret, state, secrets }: KindQuestion<VaultPasswordConfig>) => ({
  engine: vaultEngineOf(secrets.filter(isMadeByVault), secret),
  database: { ...referenceOf(secret.database), role: secret.role },
  taken: state.step.action !== "ADOPT",
});

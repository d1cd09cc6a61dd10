import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenBao, startOpenBao } from "../../../dev/lab/openbao";
import { type Postgres, startPostgres } from "../../../dev/lab/postgres";
import { openBaoPath } from "../lab/tools";

/** PostgreSQL as it was when the recordings began: an owner role and a login that others look after. */
export async function recordedPostgres(): Promise<{ postgres: Postgres; dir: string; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "contract-"));
  const removeFolder = () => rm(dir, { recursive: true, force: true });
  try {
    const postgres = await startPostgres({ dir });
    await postgres.query("CREATE ROLE trader LOGIN; CREATE ROLE rec_static LOGIN");
    const stop = async (): Promise<void> => {
      await postgres.stop();
      await removeFolder();
    };
    return { postgres, dir, stop };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** OpenBao as it was: the secret that the recorded function call reads, in its second version. */
export async function recordedOpenBao(dir: string): Promise<OpenBao> {
  const bao = await startOpenBao({ dir, bin: await openBaoPath() });
  await bao.putSecret("prod/database/password", { value: "pw1" });
  await bao.putSecret("prod/database/password", { value: "pw2" });
  const custom_metadata = { rotation_date: "2026-11-23", status: "v2" };
  await bao.request("POST", "secret/metadata/prod/database/password", { custom_metadata });
  return bao;
}

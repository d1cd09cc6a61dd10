import { vaultProvider } from "../../../dev/toolchain/plugins/vault";
import { again, replayRecording } from "../../unit/contract/replay";
import { recordedOpenBao, recordedPostgres } from "./servers";

replayRecording({
  package: "vault",
  provider: () => vaultProvider({}),
  start: async () => {
    const { postgres, dir, stop: stopPostgres } = await recordedPostgres();
    const stop = async (): Promise<void> => {
      await bao?.stop();
      await stopPostgres();
    };
    const bao = await recordedOpenBao(dir).catch(async (error: unknown) => {
      await stopPostgres();
      throw error;
    });
    return {
      rewrites: [
        ["http://127.0.0.1:58200", bao.address],
        ['"token": "root"', `"token": "${bao.rootToken}"`],
        ['"value": "root"', `"value": "${bao.rootToken}"`],
        ["localhost:55432", `${postgres.host}:${postgres.port}`],
        ["adminpw", postgres.adminPassword],
      ],
      stop,
    };
  },
  volatile: [
    { path: /\.accessor$/, like: /^database_[0-9a-f]{8}$/ },
    { path: /\.(created_time|createdTime)$/, like: /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}Z$/, anyLength: true },
  ],
  // After "destroy", the recorder made everything again before it refreshed.
  before: { refresh: (replayed) => again(replayed, "create", "Create") },
});

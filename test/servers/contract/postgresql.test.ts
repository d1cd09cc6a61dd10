import { postgresqlProvider } from "../../../dev/toolchain/plugins/postgresql";
import { again, replayRecording } from "../../unit/contract/replay";
import { recordedPostgres } from "./servers";

replayRecording({
  package: "postgresql",
  provider: () => postgresqlProvider({}),
  start: async () => {
    const { postgres, stop } = await recordedPostgres();
    return {
      rewrites: [
        ["localhost", postgres.host],
        ["55432", String(postgres.port)],
        ["adminpw", postgres.adminPassword],
      ],
      stop,
    };
  },
  volatile: [],
  // After "destroy", the recorder made everything again before it refreshed.
  before: { refresh: (replayed) => again(replayed, "create", "Create") },
});

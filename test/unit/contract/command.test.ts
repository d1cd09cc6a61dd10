import { commandProvider } from "../../../dev/toolchain/plugins/command";
import { replayRecording } from "./replay";

replayRecording({
  package: "command",
  provider: commandProvider,
  start: async () => ({ rewrites: [], stop: async () => undefined }),
  // The program has no remote commands; one of an earlier version can still be read and forgotten.
  leaves: ({ method, request }) =>
    String(request.urn).includes("command:remote:Command") && !["Delete", "Read"].includes(method),
  volatile: [{ path: /^id$/, like: /^(plain|triggered|restart)[0-9a-f]{8}$/ }],
});

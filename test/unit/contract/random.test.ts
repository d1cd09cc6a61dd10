import { randomProvider } from "../../../dev/toolchain/plugins/random";
import { replayRecording } from "./replay";

replayRecording({
  package: "random",
  provider: randomProvider,
  start: async () => ({ rewrites: [], stop: async () => undefined }),
  volatile: [
    { path: /^(id|properties\.(id|b64Std|b64Url))$/, like: /^[\w+/-]{11}=?$/ },
    { path: /^(id|properties\.base64\.value)$/, like: /^[\w+/]{22}==$/ },
    { path: /^properties\.hex(\.value)?$/, like: /^([0-9a-f]{16}){1,2}$/ },
    { path: /^properties\.dec$/, like: /^\d{10,20}$/, anyLength: true },
    { path: /^properties\.bcryptHash\.value$/, like: /^\$2a\$10\$[./A-Za-z0-9]{53}$/ },
    // The resource with a minimum of one of each class, and the one without.
    { path: /^properties\.result\.value$/, like: /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[-_.~])[\w.~-]{24}$/ },
    { path: /^properties\.result\.value$/, like: /^[A-Za-z0-9!@#$%&*()\-_=+[\]{}<>:?]{24,30}$/ },
  ],
});

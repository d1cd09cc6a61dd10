import { describeCell } from "./cell";

describeCell({ strategy: "alternating-users", store: "vault", bucket: false });

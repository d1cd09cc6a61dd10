import { describeCell } from "./cell";

describeCell({ strategy: "single-user", store: "vault", bucket: false });

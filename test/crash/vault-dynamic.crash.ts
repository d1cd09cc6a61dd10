import { describeCell } from "./cell";

describeCell({ strategy: "vault-dynamic", store: "vault", bucket: false });

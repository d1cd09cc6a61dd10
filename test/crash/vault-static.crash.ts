import { describeCell } from "./cell";

describeCell({ strategy: "vault-static", store: "vault", bucket: false });

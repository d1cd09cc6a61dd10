import { describeCell } from "./cell";

describeCell({ strategy: "alpaca-key", store: "vault", bucket: false });

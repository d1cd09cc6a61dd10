import { describeCell } from "./cell";

describeCell({ strategy: "alternating-users", store: "aws", bucket: true });

import { describeCell } from "./cell";

describeCell({ strategy: "single-user", store: "aws", bucket: true });

import { describeCell } from "./cell";

describeCell({ strategy: "alpaca-key", store: "aws", bucket: true });

import { describe } from "vitest";
import { noticesForeignWrites } from "./foreign-write";
import { useBench } from "./harness";

describe("an external write to AWS Secrets Manager", () => {
  noticesForeignWrites(useBench({ labOptions: { store: "aws" } }));
});

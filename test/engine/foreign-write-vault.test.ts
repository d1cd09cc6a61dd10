import { describe } from "vitest";
import { noticesForeignWrites } from "./foreign-write";
import { useBench } from "./harness";

describe("a version that somebody else wrote into Vault", () => {
  noticesForeignWrites(useBench());
});

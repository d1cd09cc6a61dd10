import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";
import { stepProgram } from "../../../core/phases";
import { phaseOf, placeOf, stepNames, touches } from "../../../kinds/phases";

const resource = (type: string, around = "", create?: string) => ({
  type,
  name: "database-password-x",
  newInputs: create === undefined ? {} : { create },
  urn: `urn:pulumi:paper::secret-rotation::${around}${type}::database-password-x`,
});

describe("the parts of a rotation", () => {
  it("have a row for each program in steps/, and no other", () => {
    const folder = join(projectRoot(), "steps");
    const programs = readdirSync(folder).filter((file) =>
      readFileSync(join(folder, file), "utf8").includes("await runStep("),
    );
    expect(programs.map((file) => file.replace(/\.ts$/, "")).toSorted()).toEqual(stepNames().toSorted());
  });

  it.each([
    ["a step", resource("command:local:Command", "", stepProgram("set-role", "role app_a")), "database"],
    ["a resource of a provider", resource("random:index/randomPassword:RandomPassword"), "stack"],
    ["what only looks", resource("command:local:Command", "", stepProgram("verify-login")), "nothing"],
    [
      "what is inside of a component",
      resource("command:remote:Command", "secret-rotation:index:RollingRestart$"),
      "services",
    ],
    ["a component", resource("secret-rotation:index:LoginRole"), "nothing"],
    ["a provider", resource("pulumi:providers:vault"), "nothing"],
  ])("%s touches what its row says", (_, placed, expected) => expect(touches(placed)).toBe(expected));

  it.each([
    ["a type", resource("toy:index/note:Note")],
    ["a step", resource("command:local:Command", "", stepProgram("toy-write"))],
  ])("nobody can tell what %s touches that no table knows", (_, placed) => {
    expect(placeOf(placed)).toBeUndefined();
    expect(phaseOf(placed)).toBeUndefined();
    expect(touches(placed)).toBe("unknown");
  });
});

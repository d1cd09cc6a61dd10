import * as pulumi from "@pulumi/pulumi";
import { expect, it, onTestFinished, vi } from "vitest";
import { declare } from "./strict-mocks";

it("the whole input of every step is a secret once a part that steps share is one", async () => {
  // Files share a worker: this must not stay.
  vi.resetModules();
  onTestFinished(() => {
    vi.resetModules();
  });
  const { hideStepInputs, stepCommand } = await import("../../../components/step-command");
  const input = { connection: { host: "db", sslpassword: "of-the-key" } };
  const secret: boolean[] = [];
  const make = (name: string) => {
    const { stdin } = stepCommand(name, { step: "audit-record", input }, {});
    return pulumi.output(pulumi.isSecret(stdin)).apply((is) => secret.push(is));
  };
  await declare(() => make("database-password-audit-row"));
  hideStepInputs();
  await declare(() => make("database-password-audit-row"));
  expect(secret).toEqual([false, true]);
});

import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { RollingRestart } from "../../../components/rolling-restart";
import type { ServiceConfig } from "../../../config";
import { declare, inputOf, namedIn, order } from "./strict-mocks";

const service = (more: object): ServiceConfig =>
  ({ hosts: ["app-1", "app-2"], health: "http://{address}:8000/health", timeout: 60_000, ...more }) as ServiceConfig;
const host = (address: string) => ({
  address,
  port: 22,
  user: "deploy",
  hostKey: ["ssh-ed25519 AAAA", "ssh-rsa AAAA"],
});

const resources = (more: { rolledOut?: string; config?: object } = {}) =>
  declare(() => {
    const first = new pulumi.ComponentResource("secret-rotation:index:Preflight", "first");
    const restart = new RollingRestart(
      "s-restart",
      {
        services: [
          { name: "api", config: service(more.config ?? {}) },
          { name: "report", config: service({ hosts: [], restart: "supervisorctl restart report" }) },
        ],
        hosts: { "app-1": host("10.0.0.1"), "app-2": host("10.0.0.2") },
        privateKey: pulumi.secret("a private key"),
        trigger: "2",
        ...(more.rolledOut === undefined ? {} : { rolledOut: more.rolledOut }),
      },
      { dependsOn: first },
    );
    return (restart.last as pulumi.CustomResource).id;
  });

it("restarts by a step of this program, a host after the other, with all that it needs on stdin", async () => {
  const all = await resources();
  expect(order(all)).toEqual(["s-restart-api-app-1", "s-restart-api-app-2", "s-restart-report"]);
  expect(inputOf(all, "s-restart-api-app-2")).toEqual({
    service: "api",
    command: "systemctl restart api",
    probe: {
      kind: "http",
      url: "http://10.0.0.2:8000/health",
      rule: { status: [], field: "status", equals: ["healthy"], text: null },
    },
    timeout: 60_000,
    host: { name: "app-2", ...host("10.0.0.2") },
    privateKey: "a private key",
    activation: "2",
  });
  expect(inputOf(all, "s-restart-report")).toMatchObject({ command: "supervisorctl restart report" });
  expect(inputOf(all, "s-restart-report")).not.toHaveProperty("privateKey");
  for (const name of order(all)) {
    const { stdin: _, ...shown } = namedIn(all, name) ?? {};
    expect(shown).toMatchObject({ create: "node dist/steps/restart-service.mjs", update: "true", triggers: ["2"] });
    expect(JSON.stringify(shown)).not.toContain("a private key");
  }
});

it("says which activation an earlier version of the program rolled out, if its resources were others", async () => {
  const marked = async (rolledOut?: string) => {
    const all = await resources(rolledOut === undefined ? {} : { rolledOut });
    return order(all).map((name) => (namedIn(all, name)?.interpreter as string[] | undefined)?.[1]);
  };
  expect(await marked("2")).toEqual(["ROLLED_OUT=2", "ROLLED_OUT=2", undefined]);
  // That of another activation is none of this one.
  expect(await marked("1")).toEqual(["ROLLED_OUT=", "ROLLED_OUT=", undefined]);
  expect(await marked()).toEqual(["ROLLED_OUT=", "ROLLED_OUT=", undefined]);
});

it("moves no trigger when only settings change", async () => {
  const [before, after] = [await resources(), await resources({ config: { timeout: 90_000, restart: "true" } })];
  for (const name of order(before)) expect(namedIn(after, name)?.triggers).toEqual(namedIn(before, name)?.triggers);
});

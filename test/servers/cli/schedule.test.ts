import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { deploymentSchedules } from "../../../cli/operate/schedule/deployments";
import { type HttpServer, readBody, sendJson, startHttp } from "../../../dev/lab/http";
import { resolveToolchain } from "../../../dev/toolchain/resolve";
import { testFolder } from "../toolchain/support";

const USER = { githubLogin: "ops", organizations: [{ githubLogin: "acme" }] };
const STACK = { orgName: "acme", projectName: "secret-rotation", stackName: "prod-1", version: 1, tags: {} };

/** Pulumi Cloud is not here: a listener takes what the real `pulumi` sends. */
const sent: { readonly path: string; readonly body: unknown }[] = [];
let cloud: HttpServer;
beforeAll(async () => {
  cloud = await startHttp(async (request, response) => {
    const { method, url: path = "" } = request;
    const body = await readBody(request);
    if (method === "POST") {
      sent.push({ path, body: JSON.parse(body) });
      return sendJson(response, 200, { id: "1", scheduleCron: "0 * * * *" });
    }
    if (path.startsWith("/api/user")) return sendJson(response, 200, USER);
    if (path === "/api/capabilities") return sendJson(response, 200, { capabilities: [] });
    return path === "/api/stacks/acme/secret-rotation/prod-1"
      ? sendJson(response, 200, STACK)
      : sendJson(response, 404, {});
  });
});
afterAll(() => cloud.stop());

it("the command of a schedule makes `pulumi` send what --json prints", async () => {
  const { pulumi } = await resolveToolchain({ need: ["pulumi"], onProgress: () => undefined });
  const [made] = deploymentSchedules({
    ...{ stacks: ["prod-1"], organization: "acme", project: "secret-rotation", schedule: "0 * * * 1-5" },
  });
  const home = await testFolder();
  const { exitCode, all } = await execa("sh", ["-c", String(made?.shell)], {
    cwd: home,
    env: {
      PATH: `${dirname(String(pulumi?.path))}:${process.env.PATH}`,
      PULUMI_HOME: join(home, "pulumi"),
      PULUMI_ACCESS_TOKEN: "pul-of-a-test",
      PULUMI_BACKEND_URL: cloud.url,
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
    ...{ all: true, reject: false, stdin: "ignore" },
  });
  expect(exitCode, all).toBe(0);
  expect(sent).toEqual([{ path: made?.path, body: made?.body }]);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultProxy, type FaultRule, startFaultProxy } from "../../dev/lab/fault-proxy";
import { auditRows, login, refusedUp, setDay, stateOf, stored, up, useBench } from "./harness";

/** What AWS answers to one of its actions, word for word. */
function refusal(action: string, type: string, message: string): FaultRule {
  return {
    when: ({ headers }) => headers["x-amz-target"] === `secretsmanager.${action}`,
    fault: {
      status: 400,
      headers: { "content-type": "application/x-amz-json-1.1" },
      body: JSON.stringify({ __type: type, message }),
    },
  };
}

const SECRET = "paper/database/password";
const DENIED =
  "User: arn:aws:sts::111122223333:assumed-role/rotation/ci is not authorized to perform: secretsmanager:DescribeSecret";
const EXPIRED = "The security token included in the request is expired";

/** One by a step and one by the plugin; the other messages: test/servers/steps/aws-errors.test.ts. */
const REFUSALS: readonly [string, FaultRule, string][] = [
  [
    "access denied",
    refusal("DescribeSecret", "AccessDeniedException", DENIED),
    `AWS denies secretsmanager:DescribeSecret on ${SECRET} in us-east-1: ${DENIED}; give the run's role the policy in docs/aws.md`,
  ],
  [
    "an expired token",
    refusal("ListSecrets", "ExpiredTokenException", EXPIRED),
    "the AWS credentials have expired (paper/* in us-east-1): renew them, for example with `aws sso login`",
  ],
];

describe("what AWS refuses", () => {
  const bench = useBench({ labOptions: { store: "aws" } });
  let proxy: FaultProxy;
  const restarts = () => bench().lab.hosts.flatMap((host) => host.restarts).length;
  const words = (text: string) => text.replace(/\s+/g, " ");

  beforeAll(async () => {
    const { lab, stack } = bench();
    proxy = await startFaultProxy(String(lab.moto?.address));
    await stack.configure("store", { ...lab.store.config, endpoint: proxy.url });
    await up(bench());
    await setDay(bench(), 89);
  });
  afterAll(() => proxy?.stop());

  it.each(REFUSALS)("%s: one message, and nothing is changed", async (_, rule, message) => {
    const [before, count] = [await stored<string>(bench(), "database/password"), restarts()];
    const injected = proxy.inject(rule);
    const said = words(await refusedUp(bench()));
    proxy.clear();
    expect(said).toContain(message);
    expect(said).toMatch(/nothing was changed/i);
    expect(injected.met()).toBeGreaterThan(0);
    expect(await stored(bench(), "database/password")).toEqual(before);
    expect(await stateOf(bench())).toMatchObject({ slots: [0, 1], active: 1 });
    expect(restarts()).toBe(count);
  });

  it("a secret that is scheduled for deletion: its name is blocked until it is restored", async () => {
    const secrets = bench().lab.moto?.secrets;
    await secrets?.deleteSecret({ SecretId: SECRET, RecoveryWindowInDays: 7 });
    const said = words(await refusedUp(bench()));
    await secrets?.restoreSecret({ SecretId: SECRET });
    expect(said).toContain(`the secret ${SECRET} in us-east-1 is scheduled for deletion`);
    expect(said).toContain(`aws secretsmanager restore-secret --secret-id ${SECRET}`);
    expect(said).toMatch(/nothing was changed/i);
  });

  it("a refusal between two writes: the next run completes the same rotation", async () => {
    const [before, count] = [await stored<string>(bench(), "database/password"), restarts()];
    proxy.inject({ ...refusal("PutSecretValue", "ThrottlingException", "Rate exceeded"), after: 1 });
    const said = await refusedUp(bench());
    proxy.clear();
    expect(words(said)).toContain("AWS throttles secretsmanager:PutSecretValue (paper/database/password in us-east-1)");
    // Half of it is written, and everybody goes on with what works.
    expect(await stored(bench(), "database/username")).toMatchObject({ value: "trader_a" });
    expect(await stored(bench(), "database/password")).toEqual(before);
    expect(await login(bench(), "trader_b", before.value)).toBe("ok");
    expect(restarts()).toBe(count);

    await up(bench());
    const { value } = await stored<string>(bench(), "database/password");
    expect(await login(bench(), "trader_a", value)).toBe("ok");
    expect(await stateOf(bench())).toMatchObject({ slots: [2, 1], active: 0 });
    for (const service of ["signal-service", "orchestrator"])
      expect(await bench().lab.health(service)).toMatchObject({ status: "healthy", database: { user: "trader_a" } });
    expect((await auditRows(bench())).map(({ action, generation }) => [action, generation])).toEqual([
      ["ADOPT", 1],
      ["ROTATE", 2],
    ]);
  });
});

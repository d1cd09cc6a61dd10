import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { explainAwsText } from "../../../clients/aws";
import { AwsSecrets } from "../../../stores/aws/client";

/** Answers every call as AWS does when it refuses; the action is the header's. */
let answer: { status: number; type: string; message: string; body?: string };
let calls = 0;
let server: Server;
let client: AwsSecrets;

beforeEach(async () => {
  calls = 0;
  server = createServer((_request, response) => {
    calls += 1;
    response.writeHead(answer.status, { "Content-Type": "application/x-amz-json-1.1" });
    response.end(answer.body ?? JSON.stringify({ __type: answer.type, message: answer.message }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env.AWS_ACCESS_KEY_ID = "lab";
  process.env.AWS_SECRET_ACCESS_KEY = "lab-secret";
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new AwsSecrets({ kind: "aws", region: "us-east-1", endpoint, environment: "paper" });
});
afterEach(async () => {
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const refusals: [string, typeof answer, RegExp][] = [
  [
    "an expired token",
    { status: 400, type: "ExpiredTokenException", message: "The security token included in the request is expired" },
    /credentials have expired \(paper\/database\/password in us-east-1\): renew them/,
  ],
  [
    "access denied",
    { status: 400, type: "AccessDeniedException", message: "User: arn:aws:iam::1:user/x is not authorized" },
    /AWS denies secretsmanager:GetSecretValue on paper\/database\/password in us-east-1: User: .* docs\/aws\.md/,
  ],
  [
    "a KMS key that may not be used",
    { status: 400, type: "AccessDeniedException", message: "Access to KMS is not allowed" },
    /cannot use the KMS key of paper\/database\/password.*store\.kmsKeyId/,
  ],
  [
    "a KMS key that is gone",
    { status: 400, type: "DecryptionFailure", message: "Secrets Manager can't decrypt the protected secret text" },
    /cannot use the KMS key of .*enable that key/,
  ],
  [
    "a secret that is scheduled for deletion",
    {
      status: 400,
      type: "InvalidRequestException",
      message: "You can't perform this operation on the secret because it was marked for deletion.",
    },
    /paper\/database\/password in us-east-1 is scheduled for deletion.*restore-secret/,
  ],
  [
    "credentials that AWS does not know",
    { status: 400, type: "UnrecognizedClientException", message: "The security token included is invalid." },
    /AWS does not know the credentials.*get-caller-identity/,
  ],
  [
    "a page of a proxy",
    { status: 403, type: "", message: "", body: "<html><h1>Blocked</h1></html>" },
    /^secretsmanager:GetSecretValue \(paper\/database\/password in us-east-1\) was answered with HTTP 403 and no JSON.*store\.endpoint/,
  ],
];

test.each(refusals)("%s: one message with the way on", async (_title, refusal, expected) => {
  answer = refusal;
  await expect(client.read("database/password")).rejects.toThrow(expected);
});

test("throttling is waited out a few times, then said", async () => {
  answer = { status: 400, type: "ThrottlingException", message: "Rate exceeded" };
  await expect(client.read("database/password")).rejects.toThrow(/AWS throttles .* continues where it stopped/);
  expect(calls).toBe(5);
});

test("nothing at the path is no failure", async () => {
  answer = { status: 400, type: "ResourceNotFoundException", message: "Secrets Manager can't find the secret" };
  expect(await client.read("database/password")).toBeUndefined();
  expect(await client.check(["database/password"])).toBe(
    "us-east-1, paper/database/password (will be created); PutSecretValue and TagResource cannot be checked beforehand",
  );
});

test("a provider's text is explained as the call itself would be", () => {
  const call = { action: "secretsmanager:ListSecrets", where: "paper/* in us-east-1", region: "us-east-1" };
  const real =
    "reading Secrets Manager Secrets: operation error Secrets Manager: ListSecrets, https response error StatusCode: 400, " +
    "RequestID: 1, api error ExpiredTokenException: The security token included in the request is expired";
  expect(explainAwsText(real, call)).toMatch(/credentials have expired \(paper\/\* in us-east-1\): renew them/);
  expect(explainAwsText("ListSecrets: AccessDeniedException: User: x is not authorized\n", call)).toBe(
    "AWS denies secretsmanager:ListSecrets on paper/* in us-east-1: User: x is not authorized; give the run's role the policy in docs/aws.md",
  );
  expect(explainAwsText("dial tcp: lookup: no such host", call)).toBeUndefined();
});

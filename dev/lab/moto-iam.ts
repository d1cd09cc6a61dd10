/** A statement of a policy, as IAM has it. */
export type Statement = Readonly<Record<string, unknown>>;

/** The key of a user. */
export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The account of everything in the emulator. */
const ACCOUNT = "123456789012";

/** Users and roles of the emulator. It judges no call by them until {@link enforce}. */
export class MotoIam {
  constructor(private readonly address: string) {}

  /** Makes a user with these rights and a key of its own. Only while nothing is enforced. */
  async user(name: string, rights: readonly Statement[]): Promise<AwsKey> {
    await this.call("CreateUser", { UserName: name });
    await this.call("PutUserPolicy", { UserName: name, PolicyName: "own", PolicyDocument: policyOf(rights) });
    const answer = await this.call("CreateAccessKey", { UserName: name });
    const text = (tag: string) => new RegExp(`<${tag}>([^<]+)<`).exec(answer)?.[1] ?? "";
    return { accessKeyId: text("AccessKeyId"), secretAccessKey: text("SecretAccessKey") };
  }

  /** Makes a role with these rights that a user may assume with this external id; returns its ARN. */
  async role(name: string, user: string, externalId: string, rights: readonly Statement[]): Promise<string> {
    const trust = {
      ...{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/${user}` } },
      Condition: { StringEquals: { "sts:ExternalId": externalId } },
    };
    await this.call("CreateRole", { RoleName: name, AssumeRolePolicyDocument: policyOf([trust]) });
    await this.allow(name, rights);
    return `arn:aws:iam::${ACCOUNT}:role/${name}`;
  }

  /** Gives a role these rights instead of those that it has. Only while nothing is enforced. */
  async allow(role: string, rights: readonly Statement[]): Promise<void> {
    await this.call("PutRolePolicy", { RoleName: role, PolicyName: "own", PolicyDocument: policyOf(rights) });
  }

  /**
   * From now on (or no longer) every call must be signed with a key that IAM knows, and its owner's policies must allow the
   * action. The emulator does not look at the resources of Secrets Manager, and a web identity's call, which nobody signs,
   * fails.
   */
  async enforce(on: boolean): Promise<void> {
    // So many calls are free.
    const answer = await fetch(`${this.address}/moto-api/reset-auth`, { method: "POST", body: on ? "0" : "inf" });
    if (!answer.ok) throw new Error(`moto's reset-auth: HTTP ${answer.status}`);
  }

  private async call(action: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    // It tells its services apart by the scope of the signature, which it does not check.
    const authorization =
      "AWS4-HMAC-SHA256 Credential=lab/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
    const body = new URLSearchParams({ Action: action, Version: "2010-05-08", ...parameters });
    const answer = await fetch(this.address, { method: "POST", headers: { authorization }, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${action} of moto's IAM: HTTP ${answer.status} ${text}`);
    return text;
  }
}

const policyOf = (statements: readonly Statement[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

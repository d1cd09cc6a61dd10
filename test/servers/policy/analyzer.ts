import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/analyzer_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { onTestFinished } from "vitest";
import { projectRoot } from "../../../cli/toolchain/project";

/** A resource as the engine shows it to a policy pack. */
export interface Seen {
  readonly type: string;
  readonly urn: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly parent?: string;
}

/** A violation: the rule, the resource's URN (empty for the stack), and what it says. */
export interface Violation {
  readonly rule: string;
  readonly urn: string;
  readonly message: string;
}

/** The engine's side of a policy pack that runs as the engine runs it: the pack's own server. */
export class PackUnderTest {
  private constructor(private readonly client: Client) {}

  /** Starts the pack for a stack with this config (keys without the project's name); it ends with the test. */
  static async start(config: Readonly<Record<string, unknown>>): Promise<PackUnderTest> {
    const raw = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        `secret-rotation:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
    const root = projectRoot();
    const child = spawn(
      process.execPath,
      [`${root}/node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js`, "127.0.0.1:1", "."],
      {
        cwd: `${root}/policy`,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          PULUMI_NODEJS_PROJECT: "secret-rotation",
          PULUMI_NODEJS_STACK: "paper",
          PULUMI_NODEJS_TYPESCRIPT: "true",
          PULUMI_CONFIG: JSON.stringify(raw),
        },
      },
    );
    const exited = once(child, "exit");
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    const port = await Promise.race([
      once(createInterface(child.stdout), "line").then(([line]) => String(line)),
      exited.then(() => Promise.reject(new Error(`the policy pack ended: ${errors}`))),
    ]);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    onTestFinished(() => client.close());
    return new PackUnderTest(client);
  }

  /** The names and levels of its rules. */
  async rules(): Promise<{ name: string; level: number }[]> {
    const { Empty } = await import("google-protobuf/google/protobuf/empty_pb.js");
    const info = await this.unary(services.AnalyzerService.getAnalyzerInfo, new Empty());
    return info.getPoliciesList().map((policy) => ({ name: policy.getName(), level: policy.getEnforcementlevel() }));
  }

  /** Everything that the pack has against these resources, one by one and together, in the order of its rules' names. */
  async violations(resources: readonly Seen[]): Promise<Violation[]> {
    const stack = new messages.AnalyzeStackRequest();
    const found: Violation[] = [];
    for (const { type, urn, properties, parent = "" } of resources) {
      const name = urn.split("::").at(-1) ?? "";
      const request = new messages.AnalyzeRequest()
        .setType(type)
        .setUrn(urn)
        .setName(name)
        .setProperties(structOf(properties))
        .setOptions(new messages.AnalyzerResourceOptions().setParent(parent));
      found.push(...diagnosticsOf(await this.unary(services.AnalyzerService.analyze, request), urn));
      const resource = new messages.AnalyzerResource()
        .setType(type)
        .setUrn(urn)
        .setName(name)
        .setProperties(structOf(properties))
        .setOptions(new messages.AnalyzerResourceOptions().setParent(parent));
      stack.addResources(resource);
    }
    found.push(...diagnosticsOf(await this.unary(services.AnalyzerService.analyzeStack, stack), ""));
    return found;
  }

  private unary<Q, A>(definition: MethodDefinition<Q, A>, message: Q): Promise<A> {
    return new Promise((resolve, reject) =>
      this.client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        message,
        (error, answer) => (error || answer === undefined ? reject(error) : resolve(answer)),
      ),
    );
  }
}

/** Undefined properties are none. */
const structOf = (properties: Seen["properties"]) =>
  struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)));

const diagnosticsOf = (answer: InstanceType<typeof messages.AnalyzeResponse>, urn: string): Violation[] =>
  answer.getDiagnosticsList().map((diagnostic) => ({
    rule: diagnostic.getPolicyname(),
    urn: diagnostic.getUrn() || urn,
    message: diagnostic.getMessage(),
  }));

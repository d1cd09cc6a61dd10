import { Server, ServerCredentials, type ServiceError, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { EngineLog } from "./engine-log";
import { service } from "./protocol";
import type { CheckFailure, DiffResult, PropertyChange, Provider, ResourceContext } from "./provider";
import { fromStruct, type Properties, toStruct } from "./values";

/** A plugin that listens. */
export interface PluginServer {
  port: number;
  /** Stops listening, and ends once the work under way is done: also when nobody waits for its answer any more. */
  close(): Promise<void>;
}

export interface ServeOptions {
  package: string;
  version: string;
  provider: Provider;
  /** `host:port` of the engine, where a command's output is shown. None: it is dropped. */
  engineAddress?: string;
}

/** Serves a provider to the engine on a free loopback port. */
export async function serve(options: ServeOptions): Promise<PluginServer> {
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  const work = new Set<Promise<void>>();
  server.addService(service, handlers(options, work));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    while (work.size > 0) await Promise.all(work);
  };
  return { port, close };
}

interface ResourceRequest {
  getUrn(): string;
  getType(): string;
  getName(): string;
  getPreview?(): boolean;
  getTimeout?(): number;
}

function handlers(options: ServeOptions, work: Set<Promise<void>>): UntypedServiceImplementation {
  const { package: name, version, provider, engineAddress } = options;
  const engine = new EngineLog(engineAddress);
  const answer = tracked(work, () => engine.flush());
  const cancellation = new AbortController();
  const can = provider.capabilities;

  const context = (request: ResourceRequest): ResourceContext => {
    const urn = request.getUrn();
    return {
      // Older engines send only the URN: `urn:pulumi:stack::project::parents$type::name`.
      type: request.getType() || (urn.split("::")[2]?.split("$").pop() ?? ""),
      name: request.getName() || (urn.split("::")[3] ?? ""),
      preview: request.getPreview?.() ?? false,
      timeout: request.getTimeout?.() ?? 0,
      signal: cancellation.signal,
      log: (message, severity = "info") => engine.write(urn, message, severity),
    };
  };

  return {
    handshake: answer(() =>
      new messages.ProviderHandshakeResponse()
        .setAcceptSecrets(can.acceptSecrets ?? false)
        .setAcceptResources(can.acceptResources ?? false)
        .setAcceptOutputs(can.acceptOutputs ?? false)
        .setSupportsAutonamingConfiguration(can.supportsAutonaming ?? false),
    ),
    getPluginInfo: answer(() => new plugin.PluginInfo().setVersion(version)),
    getSchema: answer(() => new messages.GetSchemaResponse().setSchema(JSON.stringify({ name, version }))),
    attach: answer((request: InstanceType<typeof plugin.PluginAttach>) => {
      engine.attach(request.getAddress());
      return new empty.Empty();
    }),
    cancel: answer(() => {
      cancellation.abort();
      return new empty.Empty();
    }),

    checkConfig: answer((request: InstanceType<typeof messages.CheckRequest>) =>
      new messages.CheckResponse().setInputs(toStruct(provider.checkConfig(fromStruct(request.getNews())))),
    ),
    diffConfig: answer((request: InstanceType<typeof messages.DiffRequest>) =>
      diffResponse(configDiff(fromStruct(request.getOldInputs()), fromStruct(request.getNews()))),
    ),
    configure: answer((request: InstanceType<typeof messages.ConfigureRequest>) => {
      provider.configure(fromStruct(request.getArgs()));
      return new messages.ConfigureResponse()
        .setAcceptsecrets(can.acceptSecrets ?? false)
        .setSupportspreview(true)
        .setAcceptresources(can.acceptResources ?? false)
        .setAcceptoutputs(can.acceptOutputs ?? false)
        .setSupportsAutonamingConfiguration(can.supportsAutonaming ?? false);
    }),

    invoke: answer(async (request: InstanceType<typeof messages.InvokeRequest>) => {
      if (provider.invoke === undefined) throw new Error(`unknown function ${request.getTok()} in package ${name}`);
      const result = await provider.invoke(request.getTok(), fromStruct(request.getArgs()));
      return new messages.InvokeResponse().setReturn(toStruct(result));
    }),
    check: answer((request: InstanceType<typeof messages.CheckRequest>) => {
      const { inputs, failures = [] } = provider.check(
        context(request),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
      );
      return new messages.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures.map(failureMessage));
    }),
    diff: answer((request: InstanceType<typeof messages.DiffRequest>) =>
      diffResponse(
        provider.diff(
          context(request),
          fromStruct(request.getOlds()),
          fromStruct(request.getNews()),
          fromStruct(request.getOldInputs()),
          request.getIgnorechangesList(),
        ),
      ),
    ),
    create: answer(async (request: InstanceType<typeof messages.CreateRequest>) => {
      const { id, properties } = await provider.create(context(request), fromStruct(request.getProperties()));
      return new messages.CreateResponse().setId(id).setProperties(toStruct(properties));
    }),
    read: answer(async (request: InstanceType<typeof messages.ReadRequest>) => {
      const found = await provider.read(
        context(request),
        request.getId(),
        request.hasProperties() ? fromStruct(request.getProperties()) : undefined,
        request.hasInputs() ? fromStruct(request.getInputs()) : undefined,
      );
      const response = new messages.ReadResponse();
      if (found === undefined) return response;
      return response.setId(found.id).setProperties(toStruct(found.properties)).setInputs(toStruct(found.inputs));
    }),
    update: answer(async (request: InstanceType<typeof messages.UpdateRequest>) => {
      const properties = await provider.update(
        context(request),
        request.getId(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        request.getIgnorechangesList(),
      );
      return new messages.UpdateResponse().setProperties(toStruct(properties));
    }),
    delete: answer(async (request: InstanceType<typeof messages.DeleteRequest>) => {
      await provider.delete(context(request), request.getId(), fromStruct(request.getProperties()));
      return new empty.Empty();
    }),
  };
}

type Callback<A> = (error: Partial<ServiceError> | null, response?: A) => void;

/** Makes a gRPC method from a plain function: what it throws becomes the error's text, as the real plugins do. */
function tracked(work: Set<Promise<void>>, beforeAnswer: () => Promise<void>) {
  return <Q, A>(respond: (request: Q) => A | Promise<A>) =>
    (call: { request: Q }, callback: Callback<A>): void => {
      const job = Promise.resolve()
        .then(() => respond(call.request))
        .finally(beforeAnswer)
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback({ code: status.UNKNOWN, details: textOf(error) }),
        )
        .finally(() => work.delete(job));
      work.add(job);
    };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failureMessage({ property, reason }: CheckFailure) {
  return new messages.CheckFailure().setProperty(property).setReason(reason);
}

function configDiff(olds: Properties, news: Properties): DiffResult {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  return { diffs: keys.filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key])) };
}

const kinds: Record<PropertyChange, 0 | 1 | 2 | 3 | 4 | 5> = {
  ADD: 0,
  ADD_REPLACE: 1,
  DELETE: 2,
  DELETE_REPLACE: 3,
  UPDATE: 4,
  UPDATE_REPLACE: 5,
};

function diffResponse(diff: DiffResult) {
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse()
    .setChanges(diff.diffs.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList(diff.diffs)
    .setReplacesList(diff.replaces ?? [])
    .setStablesList(diff.stables ?? [])
    .setDeletebeforereplace(diff.deleteBeforeReplace ?? false)
    .setHasdetaileddiff(diff.detailed !== undefined);
  for (const [path, change] of Object.entries(diff.detailed ?? {})) {
    response.getDetaileddiffMap().set(path, new messages.PropertyDiff().setKind(kinds[change]));
  }
  return response;
}

import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import type { EngineLog } from "./engine-log";
import type { CheckFailure, DiffResult, PropertyChange, Provider, ResourceContext } from "./provider";
import { shuffled } from "./shuffled";
import type { Answer } from "./tracked";
import { fromStruct, type Properties, toStruct } from "./values";

/** A plugin that serves. */
export interface Serving {
  package: string;
  version: string;
  provider: Provider;
  engine: EngineLog;
  answer: Answer;
  /** Aborted when the user cancels. */
  cancellation: AbortController;
  /** Throws if the stack of this URN must not be served. */
  guard?: (urn: string) => void;
}

/** The protocol's methods for a provider. */
export function handlers(serving: Serving): UntypedServiceImplementation {
  return {
    ...processHandlers(serving),
    ...configHandlers(serving),
    ...planHandlers(serving),
    ...changeHandlers(serving),
  };
}

function processHandlers({ package: name, version, provider, engine, answer, cancellation }: Serving) {
  const can = provider.capabilities;
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
  };
}

function configHandlers({ provider, answer, guard }: Serving) {
  const can = provider.capabilities;
  return {
    checkConfig: answer((request: InstanceType<typeof messages.CheckRequest>) => {
      guard?.(request.getUrn());
      return new messages.CheckResponse().setInputs(toStruct(provider.checkConfig(fromStruct(request.getNews()))));
    }),
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
  };
}

function planHandlers(serving: Serving) {
  const { package: name, provider, answer } = serving;
  return {
    invoke: answer(async (request: InstanceType<typeof messages.InvokeRequest>) => {
      if (provider.invoke === undefined) throw new Error(`unknown function ${request.getTok()} in package ${name}`);
      const result = await provider.invoke(request.getTok(), fromStruct(request.getArgs()));
      return new messages.InvokeResponse().setReturn(toStruct(result));
    }),
    check: answer((request: InstanceType<typeof messages.CheckRequest>) => {
      const { inputs, failures = [] } = provider.check(
        context(serving, request),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
      );
      return new messages.CheckResponse().setInputs(toStruct(inputs)).setFailuresList(failures.map(failureMessage));
    }),
    diff: answer((request: InstanceType<typeof messages.DiffRequest>) =>
      diffResponse(
        provider.diff(
          context(serving, request),
          fromStruct(request.getOlds()),
          fromStruct(request.getNews()),
          fromStruct(request.getOldInputs()),
          request.getIgnorechangesList(),
        ),
      ),
    ),
  };
}

function changeHandlers(serving: Serving) {
  const { provider, answer } = serving;
  return {
    create: answer(async (request: InstanceType<typeof messages.CreateRequest>) => {
      const { id, properties } = await provider.create(context(serving, request), fromStruct(request.getProperties()));
      return new messages.CreateResponse().setId(id).setProperties(toStruct(properties));
    }),
    read: answer(async (request: InstanceType<typeof messages.ReadRequest>) => {
      const found = await provider.read(
        context(serving, request),
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
        context(serving, request),
        request.getId(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        request.getIgnorechangesList(),
      );
      return new messages.UpdateResponse().setProperties(toStruct(properties));
    }),
    delete: answer(async (request: InstanceType<typeof messages.DeleteRequest>) => {
      await provider.delete(context(serving, request), request.getId(), fromStruct(request.getProperties()));
      return new empty.Empty();
    }),
  };
}

interface ResourceRequest {
  getUrn(): string;
  getType(): string;
  getName(): string;
  getPreview?(): boolean;
  getTimeout?(): number;
}

/** @throws what the guard throws: no request about a resource gets past it */
function context({ engine, cancellation, guard }: Serving, request: ResourceRequest): ResourceContext {
  const urn = request.getUrn();
  guard?.(urn);
  return {
    // Older engines send only the URN: `urn:pulumi:stack::project::parents$type::name`.
    type: request.getType() || (urn.split("::")[2]?.split("$").pop() ?? ""),
    name: request.getName() || (urn.split("::")[3] ?? ""),
    preview: request.getPreview?.() ?? false,
    timeout: request.getTimeout?.() ?? 0,
    signal: cancellation.signal,
    log: (message, severity = "info") => engine.write(urn, message, severity),
  };
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
    // The real ones go through Go's maps, which have an order of their own each time.
    .setDiffsList(shuffled(diff.diffs))
    .setReplacesList(shuffled(diff.replaces ?? []))
    .setStablesList(diff.stables ?? [])
    .setDeletebeforereplace(diff.deleteBeforeReplace ?? false)
    .setHasdetaileddiff(diff.detailed !== undefined);
  for (const [path, change] of shuffled(Object.entries(diff.detailed ?? {}))) {
    response.getDetaileddiffMap().set(path, new messages.PropertyDiff().setKind(kinds[change]));
  }
  return response;
}

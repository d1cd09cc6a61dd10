import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { service } from "../../../dev/toolchain/plugins/protocol";
import { fromStruct, type Json, type Properties, toStruct } from "../../../dev/toolchain/plugins/values";
import type { Exchange } from "./recording";

/** What a plugin answered, in the form of the recordings. */
export interface Answer {
  response?: Properties;
  errors?: string[];
}

/** The engine's side of the protocol. */
export class EngineClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  close(): void {
    this.#client.close();
  }

  /** Asks what the recording asked. */
  async ask({ method, request }: Pick<Exchange, "method" | "request">): Promise<Answer> {
    const call = calls[method];
    if (call === undefined) throw new Error(`no way to replay ${method}: add it to the calls`);
    try {
      return { response: await call((definition, message) => this.unary(definition, message), request) };
    } catch (error) {
      const { code, details } = error as { code?: number; details?: string };
      if (code === undefined) throw error;
      return { errors: [`rpc error: code = ${code === 2 ? "Unknown" : code} desc = ${details}`] };
    }
  }

  /** One call of the protocol. */
  unary<Q, A>(definition: MethodDefinition<Q, A>, message: Q): Promise<A> {
    return new Promise((resolve, reject) =>
      this.#client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        message,
        (error, answer) => (error || answer === undefined ? reject(error) : resolve(answer)),
      ),
    );
  }
}

type Send = <Q, A>(definition: MethodDefinition<Q, A>, message: Q) => Promise<A>;
type Call = (send: Send, request: Properties) => Promise<Properties>;

const object = (value: Json | undefined): Properties => (value ?? {}) as Properties;
const string = (value: Json | undefined): string => String(value ?? "");

const checkRequest = (request: Properties) =>
  new messages.CheckRequest()
    .setUrn(string(request.urn))
    .setName(string(request.name))
    .setType(string(request.type))
    .setOlds(toStruct(object(request.olds)))
    .setNews(toStruct(object(request.news)))
    .setRandomseed(string(request.randomSeed));

const checked = (response: InstanceType<typeof messages.CheckResponse>): Properties => ({
  inputs: fromStruct(response.getInputs()),
  ...filled(
    "failures",
    response.getFailuresList().map((failure) => failure.toObject() as Properties),
  ),
});

const calls: Record<string, Call> = {
  CheckConfig: async (send, request) => checked(await send(service.checkConfig, checkRequest(request))),
  Check: async (send, request) => checked(await send(service.check, checkRequest(request))),

  Configure: async (send, request) => {
    const message = new messages.ConfigureRequest()
      .setArgs(toStruct(object(request.args)))
      .setAcceptsecrets(request.acceptSecrets === true)
      .setAcceptresources(request.acceptResources === true)
      .setSendsOldInputs(request.sendsOldInputs === true)
      .setSendsOldInputsToDelete(request.sendsOldInputsToDelete === true)
      .setUrn(string(request.urn));
    for (const [key, value] of Object.entries(object(request.variables))) {
      message.getVariablesMap().set(key, string(value));
    }
    const response = await send(service.configure, message);
    return {
      ...flag("acceptSecrets", response.getAcceptsecrets()),
      ...flag("supportsPreview", response.getSupportspreview()),
      ...flag("acceptResources", response.getAcceptresources()),
      ...flag("acceptOutputs", response.getAcceptoutputs()),
      ...flag("supportsAutonamingConfiguration", response.getSupportsAutonamingConfiguration()),
    };
  },

  Diff: async (send, request) => {
    const message = new messages.DiffRequest()
      .setId(string(request.id))
      .setUrn(string(request.urn))
      .setName(string(request.name))
      .setType(string(request.type))
      .setOlds(toStruct(object(request.olds)))
      .setNews(toStruct(object(request.news)))
      .setOldInputs(toStruct(object(request.oldInputs)))
      .setIgnorechangesList(((request.ignoreChanges ?? []) as Json[]).map(String));
    return diffed(await send(service.diff, message));
  },

  Create: async (send, request) => {
    const message = new messages.CreateRequest()
      .setUrn(string(request.urn))
      .setName(string(request.name))
      .setType(string(request.type))
      .setProperties(toStruct(object(request.properties)))
      .setPreview(request.preview === true);
    const response = await send(service.create, message);
    return { ...filled("id", response.getId()), properties: fromStruct(response.getProperties()) };
  },

  Read: async (send, request) => {
    const message = new messages.ReadRequest()
      .setId(string(request.id))
      .setUrn(string(request.urn))
      .setName(string(request.name))
      .setType(string(request.type));
    if (request.properties !== undefined) message.setProperties(toStruct(object(request.properties)));
    if (request.inputs !== undefined) message.setInputs(toStruct(object(request.inputs)));
    const response = await send(service.read, message);
    return {
      ...filled("id", response.getId()),
      ...(response.hasProperties() ? { properties: fromStruct(response.getProperties()) } : {}),
      ...(response.hasInputs() ? { inputs: fromStruct(response.getInputs()) } : {}),
    };
  },

  Update: async (send, request) => {
    const message = new messages.UpdateRequest()
      .setId(string(request.id))
      .setUrn(string(request.urn))
      .setName(string(request.name))
      .setType(string(request.type))
      .setOlds(toStruct(object(request.olds)))
      .setNews(toStruct(object(request.news)))
      .setOldInputs(toStruct(object(request.oldInputs)))
      .setIgnorechangesList(((request.ignoreChanges ?? []) as Json[]).map(String))
      .setPreview(request.preview === true);
    return { properties: fromStruct((await send(service.update, message)).getProperties()) };
  },

  Delete: async (send, request) => {
    const message = new messages.DeleteRequest()
      .setId(string(request.id))
      .setUrn(string(request.urn))
      .setName(string(request.name))
      .setType(string(request.type))
      .setProperties(toStruct(object(request.properties)))
      .setOldInputs(toStruct(object(request.oldInputs)));
    await send(service.delete, message);
    return {};
  },

  Invoke: async (send, request) => {
    const message = new messages.InvokeRequest().setTok(string(request.tok)).setArgs(toStruct(object(request.args)));
    return { return: fromStruct((await send(service.invoke, message)).getReturn()) };
  },
};

const kinds = ["ADD", "ADD_REPLACE", "DELETE", "DELETE_REPLACE", "UPDATE", "UPDATE_REPLACE"];
const changes = ["DIFF_UNKNOWN", "DIFF_NONE", "DIFF_SOME"];

function diffed(response: InstanceType<typeof messages.DiffResponse>): Properties {
  const detailed: [string, Json][] = [];
  response.getDetaileddiffMap().forEach((diff, path) => {
    const kind = diff.getKind();
    const name: Properties = kind === 0 ? {} : { kind: kinds[kind] ?? null };
    detailed.push([path, { ...name, ...flag("inputDiff", diff.getInputdiff()) }]);
  });
  return {
    ...filled("replaces", response.getReplacesList()),
    ...filled("stables", response.getStablesList()),
    ...flag("deleteBeforeReplace", response.getDeletebeforereplace()),
    changes: changes[response.getChanges()] ?? response.getChanges(),
    ...filled("diffs", response.getDiffsList()),
    ...(detailed.length > 0 ? { detailedDiff: Object.fromEntries(detailed) } : {}),
    ...flag("hasDetailedDiff", response.getHasdetaileddiff()),
  };
}

// The recordings leave out what is empty, as the protocol's JSON does.
function flag(name: string, value: boolean): Properties {
  return value ? { [name]: true } : {};
}

function filled(name: string, value: Json[] | string): Properties {
  return value.length > 0 ? { [name]: value } : {};
}

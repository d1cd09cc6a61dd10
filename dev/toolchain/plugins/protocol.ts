// The plugin protocol's methods, taken from the messages alone: the generated service would load a second copy of gRPC.
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";

interface Message {
  serializeBinary(): Uint8Array;
}
interface MessageType<T extends Message> {
  new (): T;
  deserializeBinary(bytes: Uint8Array): T;
}

function method<Q extends Message, A extends Message>(
  name: string,
  request: MessageType<Q>,
  response: MessageType<A>,
): MethodDefinition<Q, A> {
  return {
    path: `/pulumirpc.ResourceProvider/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => Buffer.from(message.serializeBinary()),
    requestDeserialize: (bytes) => request.deserializeBinary(bytes),
    responseSerialize: (message) => Buffer.from(message.serializeBinary()),
    responseDeserialize: (bytes) => response.deserializeBinary(bytes),
  };
}

/** The methods an offline plugin answers; gRPC itself answers UNIMPLEMENTED to the others. */
export const service = {
  handshake: method("Handshake", provider.ProviderHandshakeRequest, provider.ProviderHandshakeResponse),
  getPluginInfo: method("GetPluginInfo", empty.Empty, plugin.PluginInfo),
  getSchema: method("GetSchema", provider.GetSchemaRequest, provider.GetSchemaResponse),
  attach: method("Attach", plugin.PluginAttach, empty.Empty),
  checkConfig: method("CheckConfig", provider.CheckRequest, provider.CheckResponse),
  diffConfig: method("DiffConfig", provider.DiffRequest, provider.DiffResponse),
  configure: method("Configure", provider.ConfigureRequest, provider.ConfigureResponse),
  invoke: method("Invoke", provider.InvokeRequest, provider.InvokeResponse),
  check: method("Check", provider.CheckRequest, provider.CheckResponse),
  diff: method("Diff", provider.DiffRequest, provider.DiffResponse),
  create: method("Create", provider.CreateRequest, provider.CreateResponse),
  read: method("Read", provider.ReadRequest, provider.ReadResponse),
  update: method("Update", provider.UpdateRequest, provider.UpdateResponse),
  delete: method("Delete", provider.DeleteRequest, empty.Empty),
  cancel: method("Cancel", empty.Empty, empty.Empty),
} satisfies ServiceDefinition;

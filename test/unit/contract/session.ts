import { onTestFinished } from "vitest";
import { type OfflinePackage, offlineVersions } from "../../../dev/toolchain/plugins/packages";
import type { Provider } from "../../../dev/toolchain/plugins/provider";
import { serve } from "../../../dev/toolchain/plugins/server";
import { type Properties, plainProperties } from "../../../dev/toolchain/plugins/values";
import { EngineClient } from "./client";
import { unordered } from "./compare";

/** One resource, asked for as the engine would. A failure is thrown with the plugin's text. */
export class Resource {
  constructor(
    private readonly client: EngineClient,
    private readonly type: string,
    private readonly name: string,
  ) {}

  async check(news: Properties, olds: Properties = {}): Promise<Properties> {
    return this.ask("Check", { news, olds });
  }

  /** Checks, then creates. */
  async create(inputs: Properties, preview = false): Promise<{ id: string; state: Properties; inputs: Properties }> {
    const checked = (await this.check(inputs)).inputs as Properties;
    const { id, properties } = await this.ask("Create", { properties: checked, preview });
    return { id: String(id ?? ""), state: plainProperties(properties as Properties), inputs: checked };
  }

  async diff(id: string, olds: Properties, news: Properties, ignoreChanges: string[] = []): Promise<Properties> {
    return unordered(await this.ask("Diff", { id, olds, news: (await this.check(news)).inputs ?? {}, ignoreChanges }));
  }

  async update(id: string, olds: Properties, news: Properties, ignoreChanges: string[] = []): Promise<Properties> {
    const inputs = (await this.check(news)).inputs ?? {};
    const { properties } = await this.ask("Update", { id, olds, news: inputs, ignoreChanges });
    return plainProperties(properties as Properties);
  }

  /** Without a state it is an import. */
  async read(id: string, properties?: Properties, inputs?: Properties): Promise<Properties> {
    return this.ask("Read", { id, ...(properties ? { properties } : {}), ...(inputs ? { inputs } : {}) });
  }

  async delete(id: string, properties: Properties): Promise<void> {
    await this.ask("Delete", { id, properties });
  }

  private async ask(method: string, request: Properties): Promise<Properties> {
    const urn = `urn:pulumi:test::contract::${this.type}::${this.name}`;
    const about: Properties = { ...request, urn, type: this.type, name: this.name };
    const { response, errors } = await this.client.ask({ method, request: about });
    if (response === undefined) throw new Error(errors?.join("\n"));
    return response;
  }
}

export interface Session {
  client: EngineClient;
  resource(type: string, name?: string): Resource;
}

/** A plugin with a client, until the test ends. */
export async function session(name: OfflinePackage, provider: Provider, config?: Properties): Promise<Session> {
  const server = await serve({ package: name, version: offlineVersions[name], provider });
  const client = new EngineClient(server.port);
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  if (config !== undefined) await client.ask({ method: "Configure", request: { args: config } });
  return { client, resource: (type, resourceName = "it") => new Resource(client, type, resourceName) };
}

import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { projectRoot } from "../../../cli/toolchain/project";
import { type OpenBao, OpenBaoError, requestsOf } from "../../../dev/lab/openbao";
import { poll } from "../../../dev/lab/poll";
import { freePort } from "../../../dev/lab/ports";
import { type ManagedProcess, startProcess } from "../../../dev/lab/processes";

/** Three OpenBao servers with raft storage and TLS by a private CA. */
export interface Raft
  extends Pick<OpenBao, "address" | "mount" | "request" | "createToken" | "putSecret" | "getSecret"> {
  /** For VAULT_CACERT. */
  readonly ca: string;
  /** Ends the leader without asking, and resolves when another one leads. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

interface Node {
  readonly id: string;
  readonly address: string;
  readonly server: ManagedProcess;
}

const TLS = join(projectRoot(), "test/tls");
const MOUNT = "secret";

/** Starts the cluster; `address` is that of a server which does not lead, and passes requests on. */
export async function startRaft({ dir, bin }: { dir: string; bin: string }): Promise<Raft> {
  const nodes: Node[] = [];
  let token = "";
  const ask = (address: string) => async (method: string, path: string, body?: unknown) => {
    const { status, text } = await send(`${address}/v1/${path}`, method, token, body);
    if (status < 200 || status > 299) throw new OpenBaoError(status, `${method} ${path}`, text);
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
  const stop = async () => void (await Promise.allSettled(nodes.map(({ server }) => server.kill())));
  const start = async (id: string, leader?: string): Promise<Node> => {
    const node = await startNode({ dir, bin, id, leader });
    nodes.push(node);
    return node;
  };
  try {
    const first = await start("node-1");
    const init = await poll(() => ask(first.address)("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 }), {
      what: "the first server",
      limitMs: 60_000,
    });
    const key = (init.keys_base64 as string[])[0];
    token = init.root_token as string;
    const unseal = ({ id, address }: Node) =>
      poll(
        async () => {
          await ask(address)("PUT", "sys/unseal", { key });
          // 200: it leads; 429: it follows.
          return [200, 429].includes((await send(`${address}/v1/sys/health`, "GET", token)).status);
        },
        { what: `${id} unsealed`, limitMs: 120_000 },
      );
    await unseal(first);
    for (const id of ["node-2", "node-3"]) await unseal(await start(id, first.address));
    const entry = nodes[1] as Node;
    const request = ask(entry.address);
    await poll(() => request("POST", `sys/mounts/${MOUNT}`, { type: "kv", options: { version: "2" } }), {
      what: "the mount",
      limitMs: 60_000,
    });
    await poll(() => request("GET", `${MOUNT}/config`), { what: `KV v2 at ${MOUNT}/`, limitMs: 60_000 });
    // A server that joined votes only after some seconds: before that, the others elect no leader if the first one ends.
    await poll(async () => (await voters(request)) === nodes.length, { what: "three voters", limitMs: 120_000 });
    return {
      address: entry.address,
      mount: MOUNT,
      ca: join(TLS, "ca.pem"),
      request,
      ...requestsOf(request, MOUNT),
      failOver: async () => {
        await first.server.kill();
        await poll(
          async () => {
            const { leader_address: leader } = await request("GET", "sys/leader");
            return leader !== "" && leader !== first.address;
          },
          { what: "another leader", limitMs: 120_000 },
        );
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** How many servers elect the leader. */
async function voters(request: OpenBao["request"]): Promise<number> {
  const answer = await request("GET", "sys/storage/raft/configuration");
  const { config } = answer.data as { config: { servers: { voter: boolean }[] } };
  return config.servers.filter(({ voter }) => voter).length;
}

async function startNode(options: {
  dir: string;
  bin: string;
  id: string;
  leader?: string | undefined;
}): Promise<Node> {
  const { dir, bin, id, leader } = options;
  const [port, cluster] = [await freePort(), await freePort()];
  const data = join(dir, id);
  await mkdir(data, { mode: 0o700 });
  const file = join(dir, `${id}.hcl`);
  const joining =
    leader === undefined
      ? ""
      : `retry_join {\n    leader_api_addr = "${leader}"\n    leader_ca_cert_file = "${join(TLS, "ca.pem")}"\n  }`;
  await writeFile(
    file,
    `storage "raft" {
  path    = "${data}"
  node_id = "${id}"
  ${joining}
}
listener "tcp" {
  address         = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${cluster}"
  tls_cert_file   = "${join(TLS, "server.pem")}"
  tls_key_file    = "${join(TLS, "server.key")}"
}
api_addr      = "https://127.0.0.1:${port}"
cluster_addr  = "https://127.0.0.1:${cluster}"
log_level     = "warn"
disable_mlock = true
`,
  );
  const server = await startProcess({
    command: bin,
    args: ["server", `-config=${file}`],
    logFile: join(dir, `${id}.log`),
  });
  return { id, address: `https://127.0.0.1:${port}`, server };
}

/** One request, with the private CA. */
function send(url: string, method: string, token: string, body?: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = token === "" ? {} : { "X-Vault-Token": token };
    const ca = readFileSync(join(TLS, "ca.pem"));
    const asked = httpsRequest(url, { method, headers, ca, timeout: 10_000 }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error(`${url} did not answer within 10 s`)));
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

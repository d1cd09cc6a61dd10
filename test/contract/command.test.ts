import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../lab/ports";
import { generateSshKeys } from "../../lab/ssh-keys";
import { startSshServer } from "../../lab/ssh-server";
import { commandProvider } from "../../toolchain/plugins/command";
import type { Rewrite } from "./recording";
import { replayRecording } from "./replay";

replayRecording({
  package: "command",
  provider: commandProvider,
  start: async () => {
    const cwd = await mkdtemp(join(tmpdir(), "contract-command-"));
    const host = generateSshKeys();
    const user = generateSshKeys();
    const server = await startSshServer({
      address: "127.0.0.1",
      user: "root",
      hostPrivateKey: host.private,
      authorizedKey: user.public,
      env: { PATH: process.env.PATH },
      cwd,
    });
    const rewrites: Rewrite[] = [
      ["52222", String(server.port)],
      ["52223", String(await freePort("127.0.0.1"))],
      [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGUHM4EZ0ydfDfRsLcAYmKVtOdpKhI91TM3SKTVvv8aL",
        host.public.trim().split(" ").slice(0, 2).join(" "),
      ],
      ['"<private key>"', JSON.stringify(user.private)],
    ];
    const stop = async (): Promise<void> => {
      await server.stop();
      await rm(cwd, { recursive: true, force: true });
    };
    return { rewrites, stop };
  },
  volatile: [{ path: /^id$/, like: /^(plain|triggered|restart)[0-9a-f]{8}$/ }],
});

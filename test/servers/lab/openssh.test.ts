import { expect, test } from "vitest";
import { hasOpenSsh } from "../../../dev/lab/openssh";
import { startHost } from "../../../dev/lab/ssh-host";
import { testFolder } from "./folder";
import { overSsh } from "./ssh";

test.runIf(hasOpenSsh)(
  "a host with OpenSSH's server has its own home and systemctl, on an address of its own",
  async () => {
    const folder = await testFolder();
    const options = { dir: folder.dir, services: [], program: "none", openSsh: true };
    const host = await startHost({ ...options, name: "trading-2", address: "127.0.0.2" });
    try {
      expect(host.address).toBe("127.0.0.2");
      const { code, stdout, stderr } = await overSsh(host, 'cat; echo " at $HOME"; systemctl restart nothing', "input");
      expect({ code, stdout }).toEqual({ code: 5, stdout: `input at ${host.dir}\n` });
      expect(stderr).toContain("nothing.service not found");
    } finally {
      await host.stop();
      await folder.remove();
    }
  },
);

import * as z from "zod";
import { settings, sslmode, text } from "../core/schema-parts";

const file = text(/^\/./, "expected an absolute path");

/** How a service gets to its databases, as far as it differs from how this program does. Only the rehearsal uses it. */
export const connects = settings({
  /**
   * The paths that it uses, of `paths` of its secrets, or `primary`. Empty: its ways are not rehearsed. Default: all that the
   * login in use can go from its hosts.
   */
  paths: z.array(z.string().min(1)).optional(),
  /**
   * A command on its host whose standard input and output are a connection to `{host}` and `{port}`, run by `sh -c`, such as
   * `kubectl run rehearsal-$$ -i --rm --quiet --restart=Never --image=busybox:1.37 -- nc {host} {port}`. Default: the host's SSH
   * server connects. Without it, nothing is rehearsed for a service in Kubernetes.
   */
  relay: z.string().min(1).optional(),
  /** Default: that of the path. */
  sslmode: sslmode.optional(),
  /** A file with authorities where the service runs. Default: those of the run. */
  sslrootcert: file.optional(),
  /** What its sessions begin with, such as `{ search_path: desk }`: parameters of the startup message. Default: none. */
  parameters: z.record(z.string().min(1), z.string()).optional(),
  /** Vault: a file, where the service runs, with the token with which it reads the store. Default: that is not tried. */
  tokenFile: file.optional(),
});

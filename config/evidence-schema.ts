import * as z from "zod";
import { parseDuration } from "../core/duration";
import { byKind, duration, httpUrl, settings, text } from "../core/schema-parts";

const absolute = text(/^\/./, "expected an absolute path");

const sshKey = settings({
  /** What signs. */
  kind: z.literal("ssh"),
  /**
   * The key's file for `ssh-keygen -Y sign`, OpenSSH 8.2 or newer: a private key without a passphrase, or a public key
   * whose private part is in the agent or on a security key.
   */
  file: absolute,
});

const transit = settings({
  /** What signs. */
  kind: z.literal("vault-transit"),
  /** The mount of the transit engine. Default `transit`. */
  mount: text(/^[\w.-]+(\/[\w.-]+)*$/, "expected a path without / at its ends").default("transit"),
  /** The key's name: of the type ed25519, ecdsa-p256 or rsa-2048 and longer. The run needs `update` on `<mount>/sign/<name>`. */
  name: text(/^[\w.-]+$/, "expected letters, digits, _, . or -"),
  /** Default: that of the store, else VAULT_ADDR. */
  address: httpUrl.optional(),
});

const file = settings({
  /** Where anchors go. */
  kind: z.literal("file"),
  /** A file to which each anchor is appended as a line. It is as safe as its disk: use one that the database's host cannot write. */
  path: absolute,
});

const git = settings({
  /** Where anchors go. */
  kind: z.literal("git"),
  /** The folder of a repository, bare or not. Each anchor is a tag, `rotation-audit/<stack>/<number>`. */
  repository: absolute,
  /** The remote that gets the tags too, such as `origin`. Default: none. */
  remote: text(/^[\w][\w./:@-]*$/, "expected the name of a remote").optional(),
});

const s3 = settings({
  /** Where anchors go. */
  kind: z.literal("s3"),
  /** A bucket with versioning and object lock. */
  bucket: text(/^[a-z0-9][a-z0-9.-]+$/, "expected the name of a bucket"),
  /** The bucket's region. */
  region: text(/^[a-z]{2,}(-[a-z]+)+-\d+$/, "expected a region, such as us-east-1"),
  /** What the keys begin with. Default `rotation-audit/`. */
  prefix: z.string().default("rotation-audit/"),
  /** How long nobody can delete an anchor (mode COMPLIANCE). Default 730d, as long as the log keeps its rows. */
  lock: duration.default(parseDuration("730d")),
  /** Another endpoint, such as a VPC endpoint or an emulator. */
  endpoint: httpUrl.optional(),
});

/** Evidence that stands alone: who signs it, and where the audit log's head is noted outside of the database. */
export const evidence = settings({
  /** The key that signs bundles and anchors. Its public part is all that a verifier needs beside the bundle. */
  sign: z.discriminatedUnion("kind", [sshKey, transit], byKind),
  /** An authority (RFC 3161) that stamps each anchor with its time. Needs `openssl`. Default: none. */
  timestamp: settings({
    /** The authority's address, such as `http://timestamp.digicert.com`. It learns a hash, and when. */
    url: httpUrl,
  }).optional(),
  /**
   * Where the end of the audit log is noted at the end of each run, by names of your own: what a superuser of the database
   * cannot rewrite with it. Default: nowhere.
   */
  anchors: z
    .record(
      text(/^[a-z0-9][a-z0-9-]*$/, "expected lower-case letters, digits or -"),
      z.discriminatedUnion("kind", [file, git, s3], byKind),
    )
    .default({}),
});

export type EvidenceConfig = z.output<typeof evidence>;
export type SignConfig = EvidenceConfig["sign"];
export type AnchorPlaceConfig = EvidenceConfig["anchors"][string];

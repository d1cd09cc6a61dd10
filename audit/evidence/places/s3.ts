import type { ListObjectVersionsCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { awsTransport } from "../../../clients/aws-login";
import type { AnchorPlaceConfig } from "../../../config/evidence-schema";
import type { AnchorPlace } from "./place";

type S3Config = Extract<AnchorPlaceConfig, { readonly kind: "s3" }>;

/** An object for each anchor, which nobody can delete or replace until its lock ends. */
export function s3Place({ bucket, region, prefix, lock, endpoint }: S3Config, stack: string): AnchorPlace {
  const folder = `${prefix}${stack}/`;
  return {
    async list() {
      const { sdk, client } = await connect(region, endpoint);
      // The oldest version of each key: a newer one, or a marker that says it is deleted, does not hide it.
      const oldest = new Map<string, string | undefined>();
      let page: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
      while (page !== undefined) {
        const command = new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: folder, ...page });
        const found: ListObjectVersionsCommandOutput = await client.send(command);
        for (const { Key, VersionId } of found.Versions ?? []) if (Key !== undefined) oldest.set(Key, VersionId);
        page = found.IsTruncated
          ? { KeyMarker: found.NextKeyMarker, VersionIdMarker: found.NextVersionIdMarker }
          : undefined;
      }
      const keys = [...oldest].sort(([a], [b]) => (a < b ? -1 : 1));
      return Promise.all(
        keys.map(async ([Key, VersionId]) => {
          const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key, VersionId }));
          return (await Body?.transformToString())?.trim() ?? "";
        }),
      );
    },
    async keep(sequence, line) {
      const { sdk, client } = await connect(region, endpoint);
      await client.send(
        new sdk.PutObjectCommand({
          Bucket: bucket,
          Key: `${folder}${String(sequence).padStart(8, "0")}.json`,
          Body: `${line}\n`,
          ContentType: "application/json",
          ChecksumAlgorithm: "SHA256",
          IfNoneMatch: "*",
          ObjectLockMode: "COMPLIANCE",
          ObjectLockRetainUntilDate: new Date(Date.now() + lock),
        }),
      );
    },
  };
}

async function connect(region: string, endpoint: string | undefined) {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { default: sdk } = await import("@aws-sdk/client-s3");
  // An emulator has no names of buckets in its host's name.
  const other = endpoint === undefined ? {} : { endpoint, forcePathStyle: true };
  const client: S3Client = new sdk.S3Client({ region, ...other, ...awsTransport(undefined) });
  return { sdk, client };
}

import { buffer } from "node:stream/consumers";
import { extract, pack } from "tar-stream";
import { BUNDLE_TYPE, STATEMENT, sha256 } from "../../../audit/evidence/bundle";
import { type Envelope, sealed, statementIn } from "../../../core/dsse";
import type { Tampering } from "./tampering";
import type { Case } from "./world";

type Entries = [name: string, bytes: Buffer][];

async function entriesOf(tar: Buffer): Promise<Entries> {
  const entries = extract();
  entries.end(tar);
  const found: Entries = [];
  for await (const entry of entries) found.push([entry.header.name, await buffer(entry)]);
  return found;
}

function tarOf(entries: Entries): Promise<Buffer> {
  const tar = pack();
  const whole = buffer(tar);
  for (const [name, bytes] of entries) tar.entry({ name }, bytes);
  tar.finalize();
  return whole;
}

const changed = (entries: Entries, name: string, change: (text: string) => string): Entries =>
  entries.map(([file, bytes]) => [file, file === name ? Buffer.from(change(bytes.toString("utf8"))) : bytes]);

const holder = (
  name: string,
  act: (entries: Entries, world: Case) => Entries | Promise<Entries>,
  found: RegExp,
): Tampering => ({
  name,
  by: "holder of the bundle",
  found,
  tamper: async (world) => tarOf(await act(await entriesOf(await world.bundle()), world)),
});

const envelopeOf = (entries: Entries): Envelope =>
  JSON.parse(entries.find(([name]) => name === STATEMENT)?.[1].toString("utf8") ?? "") as Envelope;

const fails = (text: string) => text.replace("SUCCESS", "FAILED");

/** The statement with the digests of the files as they are now. */
function restated(entries: Entries) {
  const { predicate, predicateType } = statementIn(envelopeOf(entries), BUNDLE_TYPE);
  const subject = entries.flatMap(([name, bytes]) =>
    name === STATEMENT ? [] : [{ name, digest: { sha256: sha256(bytes) } }],
  );
  return { subject, predicateType, predicate };
}

const withEnvelope = (entries: Entries, envelope: unknown): Entries =>
  changed(entries, STATEMENT, () => JSON.stringify(envelope));

/** What somebody does who has a bundle. */
export const bundles: readonly Tampering[] = [
  holder("changes a row", (entries) => changed(entries, "rows.jsonl", fails), /rows.jsonl was altered/),
  holder(
    "changes the config",
    (entries) => changed(entries, "config.json", (text) => `${text} `),
    /config.json was altered/,
  ),
  holder("removes a file", (entries) => entries.filter(([name]) => name !== "config.json"), /config.json is missing/),
  holder(
    "removes the anchors of a place",
    (entries) => entries.filter(([name]) => name !== "anchors/ledger.jsonl"),
    /anchors\/ledger.jsonl is missing/,
  ),
  holder(
    "adds a file",
    (entries) => [...entries, ["approvals.json", Buffer.from("{}")]],
    /approvals.json is not in the signed statement/,
  ),
  holder("adds a file twice", (entries) => [...entries, ["rows.jsonl", Buffer.from("")]], /rows.jsonl twice/),
  holder(
    "removes the statement",
    (entries) => entries.filter(([name]) => name !== STATEMENT),
    /expected statement.dsse.json/,
  ),
  holder(
    "changes a row, and the statement",
    (entries) => {
      const after = changed(entries, "rows.jsonl", fails);
      const payload = Buffer.from(
        JSON.stringify({ _type: "https://in-toto.io/Statement/v1", ...restated(after) }),
      ).toString("base64");
      return withEnvelope(after, { ...envelopeOf(entries), payload });
    },
    /no signature is by a trusted key/,
  ),
  holder(
    "changes a row, and signs it with another key",
    async (entries, { world }) => {
      const after = changed(entries, "rows.jsonl", fails);
      return withEnvelope(after, await sealed(restated(after), world.others.signer));
    },
    /no signature is by a trusted key/,
  ),
  holder(
    "removes the signature",
    (entries) => withEnvelope(entries, { ...envelopeOf(entries), signatures: [] }),
    /expected a DSSE envelope/,
  ),
  holder(
    "changes the type",
    (entries) => withEnvelope(entries, { ...envelopeOf(entries), payloadType: "text/plain" }),
    /expected a DSSE envelope/,
  ),
  holder(
    "gives an anchor as the statement",
    (entries) => {
      const anchor =
        entries
          .find(([name]) => name === "anchors/ledger.jsonl")?.[1]
          .toString("utf8")
          .split("\n")[0] ?? "";
      return withEnvelope(entries, JSON.parse(anchor));
    },
    /expected a statement of the type urn:secret-rotation:evidence/,
  ),
  {
    name: "gives an older bundle's statement with newer rows",
    by: "holder of the bundle",
    found: /rows.jsonl was altered/,
    async tamper(world) {
      const older = await entriesOf(await world.bundle());
      await world.append("newer");
      await world.anchor();
      return tarOf(withEnvelope(await entriesOf(await world.bundle()), envelopeOf(older)));
    },
  },
  {
    name: "cuts the file in half",
    by: "holder of the bundle",
    found: /expected a tar|expected statement/,
    tamper: async (world) => {
      const tar = await world.bundle();
      return tar.subarray(0, Math.floor(tar.length / 2) - 100);
    },
  },
];

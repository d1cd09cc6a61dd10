import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { readAnchor, sealAnchor } from "../../../audit/evidence/anchor";
import { bundles } from "./bundles";
import type { Tampering } from "./tampering";
import { type Case, edit, STACK } from "./world";

const run = promisify(execFile);

/** What a superuser can do to hide a change: every hash from a row on is computed anew, and the log's own note too. */
export const RECOMPUTED = (from: number) => `
  DO $$
  DECLARE entry secret_rotation_log; previous text;
  BEGIN
    SELECT hash INTO previous FROM secret_rotation_log WHERE id = ${from - 1};
    previous := coalesce(previous, repeat('0', 64));
    FOR entry IN SELECT * FROM secret_rotation_log WHERE id >= ${from} ORDER BY id LOOP
      entry.previous_hash := previous;
      previous := secret_rotation_log_hash(entry);
      UPDATE secret_rotation_log SET previous_hash = entry.previous_hash, hash = previous WHERE id = entry.id;
    END LOOP;
    UPDATE secret_rotation_log_head SET hash = previous,
      id = (SELECT max(id) FROM secret_rotation_log), rows = (SELECT count(*) FROM secret_rotation_log);
  END $$`;

const sql = (name: string, statement: string, found: RegExp): Tampering => ({
  name,
  by: "superuser of the database",
  found,
  async tamper(world) {
    await world.superuser(statement);
    return world.bundle();
  },
});

const NOTED = /has another hash than the one noted elsewhere/;

const superuser: Tampering[] = [
  sql(
    "changes a row",
    "UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 3",
    /row 3 does not match its hash/,
  ),
  sql(
    "changes a row and its hash",
    "UPDATE secret_rotation_log AS log SET generation = 9, hash = secret_rotation_log_hash(log) WHERE id = 5; UPDATE secret_rotation_log AS log SET hash = secret_rotation_log_hash(log) WHERE id = 5",
    /row 5 /,
  ),
  sql("removes a row", "DELETE FROM secret_rotation_log WHERE id = 5", /row 5 is missing/),
  sql("removes the oldest rows", "DELETE FROM secret_rotation_log WHERE id <= 2", /rows 1 to 2 are missing/),
  sql(
    "removes the oldest rows, and corrects the log's own note",
    "DELETE FROM secret_rotation_log WHERE id <= 2; UPDATE secret_rotation_log_head SET rows = 6",
    /rows 1 to 2 are missing/,
  ),
  sql(
    "dates a row before the bundle's time",
    "UPDATE secret_rotation_log SET rotation_date = '2020-01-01' WHERE id = 1",
    /row 1 does not match its hash/,
  ),
  sql("cuts off the newest rows", "DELETE FROM secret_rotation_log WHERE id > 6", /rows 7 to 8 are missing/),
  sql(
    "cuts off the newest rows, and corrects the log's own note",
    `DELETE FROM secret_rotation_log WHERE id > 6; ${RECOMPUTED(7)}; UPDATE secret_rotation_log_head SET hash = (SELECT hash FROM secret_rotation_log WHERE id = 6)`,
    /row 7, which was noted elsewhere, is missing/,
  ),
  sql(
    "inserts a row",
    "INSERT INTO secret_rotation_log (id, secret_name, rotated_by, rotation_date, status, previous_hash, hash) VALUES (9, 'a', 'b', now(), 'SUCCESS', '', '')",
    /row 9 was put behind/,
  ),
  sql(
    "changes the order",
    "UPDATE secret_rotation_log SET id = CASE id WHEN 3 THEN -6 ELSE -3 END WHERE id IN (3, 6); UPDATE secret_rotation_log SET id = -id WHERE id < 0",
    /row 3 was written as row 6/,
  ),
  sql(
    "changes a row and recomputes the whole chain",
    `UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 1; ${RECOMPUTED(1)}`,
    NOTED,
  ),
  sql(
    "changes a row and recomputes the chain from it on",
    `UPDATE secret_rotation_log SET rotated_by = 'alice' WHERE id = 6; ${RECOMPUTED(6)}`,
    NOTED,
  ),
  sql(
    "changes the last row and recomputes it",
    `UPDATE secret_rotation_log SET reason = 'other' WHERE id = 8; ${RECOMPUTED(8)}`,
    NOTED,
  ),
  sql(
    "removes a row and recomputes the whole chain",
    `DELETE FROM secret_rotation_log WHERE id = 4; UPDATE secret_rotation_log SET id = id - 1 WHERE id > 4; ${RECOMPUTED(1)}`,
    NOTED,
  ),
  sql(
    "inserts a row and recomputes the whole chain",
    `UPDATE secret_rotation_log SET id = -id - 1 WHERE id > 4; UPDATE secret_rotation_log SET id = -id WHERE id < 0; INSERT INTO secret_rotation_log SELECT (jsonb_populate_record(log, '{"id": 5, "step_key": "new"}')).* FROM secret_rotation_log AS log WHERE id = 4; ${RECOMPUTED(1)}`,
    NOTED,
  ),
  sql(
    "writes a log of its own in its place",
    `TRUNCATE secret_rotation_log; INSERT INTO secret_rotation_log (id, secret_name, rotated_by, rotation_date, status, action, previous_hash, hash) SELECT n, 'database/password', 'ci', now(), 'SUCCESS', 'ROTATE', '', '' FROM generate_series(1, 12) AS n; ${RECOMPUTED(1)}`,
    NOTED,
  ),
  sql(
    "accounts for removed rows with a PRUNE row, and recomputes the chain",
    `DELETE FROM secret_rotation_log WHERE id <= 3; INSERT INTO secret_rotation_log (id, secret_name, rotated_by, rotation_date, status, action, outputs, previous_hash, hash) VALUES (9, 'secret_rotation_log', 'dba', now(), 'SUCCESS', 'PRUNE', '{"throughId": 3}', '', ''); ${RECOMPUTED(4)}`,
    NOTED,
  ),
  {
    name: "recomputes the whole chain, and runs go on",
    by: "superuser of the database",
    found: NOTED,
    async tamper(world) {
      await world.superuser(`UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 1; ${RECOMPUTED(1)}`);
      await world.append("after");
      await refusal(world);
      return world.bundle();
    },
  },
];

/** A run must not confirm what was tampered with. */
async function refusal(world: Case): Promise<void> {
  const refused = await world.anchor().then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (refused === undefined) throw new Error("expected the run to note no end of a log that was tampered with");
}

const place = (name: string, act: (world: Case) => Promise<unknown>, found: RegExp): Tampering => ({
  name,
  by: "writer of a place",
  found,
  async tamper(world) {
    await act(world);
    return world.bundle();
  },
});

const git = ({ repository }: Case, ...args: string[]) => run("git", ["-C", repository, ...args]);
const lines = (text: string) => text.trimEnd().split("\n");
const without = (index: number) => (text: string) => `${lines(text).toSpliced(index, 1).join("\n")}\n`;

const places: Tampering[] = [
  place(
    "edits an anchor in the file",
    ({ file }) => edit(file, (text) => text.replace(/"payload":"e/, '"payload":"f')),
    /ledger: line 1 is no anchor|signed by no trusted key/,
  ),
  place("removes an anchor from the file", ({ file }) => edit(file, without(3)), /ledger: anchor 4 is missing/),
  place("removes the newest anchor from the file", ({ file }) => edit(file, without(7)), /ledger: anchor 8 is missing/),
  place("empties the file", ({ file }) => edit(file, () => ""), /ledger: anchor 1, 2, 3, 4, 5, 6, 7, 8 is missing/),
  place(
    "repeats an anchor",
    ({ file }) => edit(file, (text) => `${text}${lines(text)[2]}\n`),
    /ledger: anchor 3 occurs twice/,
  ),
  place(
    "deletes a tag",
    (world) => git(world, "tag", "-d", `rotation-audit/${STACK}/00000005`),
    /tags: anchor 5 is missing/,
  ),
  place(
    "signs anchors of a recomputed chain with another key",
    async (world) => {
      await world.superuser(`UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 8; ${RECOMPUTED(8)}`);
      const hash = (
        await world.world.postgres.query("SELECT hash FROM secret_rotation_log WHERE id = 8", [], world.log.database)
      ).rows[0].hash as string;
      const forge = async (line: string) => sealAnchor({ ...readAnchor(line).anchor, hash }, world.world.others.signer);
      const kept = lines(await readFile(world.file, "utf8"));
      const forged = await forge(kept[7] ?? "");
      await edit(world.file, () => `${[...kept.slice(0, 7), forged].join("\n")}\n`);
    },
    /ledger: anchor 8 is signed by no trusted key/,
  ),
  place(
    "recomputes the chain as superuser, and empties the file",
    async (world) => {
      await world.superuser(`UPDATE secret_rotation_log SET status = 'FAILED' WHERE id = 2; ${RECOMPUTED(2)}`);
      await edit(world.file, () => "");
    },
    NOTED,
  ),
];

/** Every way to tamper that is tried. */
export const TAMPERINGS: readonly Tampering[] = [...superuser, ...places, ...bundles];

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redact } from "../../core/redact";
import { RECOMPUTED } from "../../dev/prove/evidence/matrix";
import { advised } from "../advice/table";
import { shell } from "./advice";
import { editSettings, fine, rotation, unwrapped } from "./cli-support";
import { auditRows, type Bench, refusedUp, setRequest, stored, UNCHANGED, up } from "./harness";

const DATABASE = "database/password";

/**
 * Evidence of a stack whose log ends with row 8 and had its rows up to 3 pruned; its run adds row 9.
 *
 * @param tamper SQL of a superuser, with every trigger of the log out of force
 */
export function evidenceTests(
  bench: () => Bench,
  folder: () => string,
  tamper: (sql: string) => Promise<unknown>,
): void {
  describe("rotation evidence", () => {
    const inFolder = (file: string) => join(folder(), file);
    /** Away from the project, without its environment. */
    const verify = async (...args: string[]) => {
      const program = join(bench().stack.projectDir, "dist/cli/rotation.mjs");
      const command = [program, "evidence", "verify", ...args];
      const { exitCode, stdout, stderr } = await execa(process.execPath, command, {
        cwd: folder(),
        env: { PATH: process.env.PATH, HOME: folder() },
        extendEnv: false,
        reject: false,
      });
      return { exitCode, text: unwrapped(`${stdout} ${stderr}`) };
    };

    beforeAll(async () => {
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", inFolder("key")]);
      const anchors = {
        ledger: { kind: "file", path: inFolder("ledger") },
        tags: { kind: "git", repository: inFolder("tags") },
      };
      await editSettings(bench(), { evidence: { sign: { kind: "ssh", file: inFolder("key") }, anchors } });
      await writeFile(inFolder("allowed"), await fine(bench(), ["evidence", "key"]));
    });
    afterAll(() => editSettings(bench(), { evidence: undefined }));

    it("notes the end of the log after a run, and says which place did not take it and how to make up for it", async () => {
      const before = unwrapped(await fine(bench(), ["audit", "verify"]));
      expect(before).toMatch(
        /The anchors in tags could not be read: .* 5 rows not countersigned yet: whoever rewrites them/,
      );
      const ofStatus = async () => unwrapped((await rotation(bench(), ["status"])).stdout);
      expect(await ofStatus()).toMatch(
        /Audit log: The anchors in tags .* 5 rows not countersigned yet.* `rotation evid/,
      );
      const { stdout, stderr, exitCode } = await rotation(bench(), ["run", "--yes"]);
      const said = stdout + stderr;
      expect(exitCode, said).toBe(0);
      expect(unwrapped(said)).toContain("the audit log's end is not noted in tags");
      await execa("git", ["init", "--quiet", "--bare", inFolder("tags")]);
      const noted = await shell(bench(), advised("rotation evidence anchor", said));
      expect([noted.exitCode, noted.stdout], noted.stderr).toEqual([
        0,
        "Noted already: row 9 is the log's last (anchor 1).",
      ]);
      const after = unwrapped(await fine(bench(), ["audit", "verify"]));
      expect(after).toContain("Rows up to 9 are countersigned outside of the database.");
      expect(after).not.toContain("not countersigned");
      expect(await ofStatus()).not.toContain("Audit log:");
      const { stdout: read } = await rotation(bench(), ["status", "--json"]);
      expect(JSON.parse(read).countersigned).toMatchObject({ to: 9, open: 0, failed: {} });
      const { stdout: tags } = await execa("git", ["-C", inFolder("tags"), "tag"]);
      expect(tags).toBe("rotation-audit/paper/00000001");
    });

    it("writes a bundle without a secret that anyone can verify with the public key alone", async () => {
      const made = await fine(bench(), ["evidence", "--last", "94d", "--out", inFolder("bundle.tar")]);
      expect(made).toBe(`${inFolder("bundle.tar")} written: 4 rows, 1 anchor of ledger, 1 anchor of tags`);
      const { exitCode, text } = await verify(inFolder("bundle.tar"), "--key", inFolder("allowed"));
      expect(text).toMatch(/^The evidence is intact: 4 rows, 1 anchor\. Stack paper \(paper\), /);
      expect(text).toContain("Signed by rotation@paper. Rows up to 9 were noted outside of the database.");
      expect(exitCode).toBe(0);
      const tar = await readFile(inFolder("bundle.tar"), "utf8");
      for (const secret of [
        bench().lab.adopted[DATABASE] ?? "",
        (await stored(bench(), DATABASE)).value,
        bench().lab.openbao.rootToken,
      ])
        expect(redact(tar, [secret])).toBe(tar);
      const { stdout } = await execa("tar", ["-tf", inFolder("bundle.tar")]);
      expect(stdout.split("\n")).toEqual([
        ...[
          "statement.dsse.json",
          "anchors/ledger.jsonl",
          "anchors/tags.jsonl",
          "approvals.jsonl",
          "config.json",
          "rows.jsonl",
          "versions.json",
        ],
      ]);
    });

    it("shows a superuser who recomputes the whole chain, and notes no end of such a log", async () => {
      await bench().lab.postgres.query("CREATE TABLE kept AS TABLE secret_rotation_log");
      await bench().lab.postgres.query("CREATE TABLE kept_head AS TABLE secret_rotation_log_head");
      await tamper(`UPDATE secret_rotation_log SET rotated_by = 'nobody' WHERE id = 6; ${RECOMPUTED(6)}`);
      const chain = await rotation(bench(), ["audit", "verify"]);
      const made = await rotation(bench(), ["evidence", "--last", "94d", "--out", inFolder("tampered.tar")]);
      const { exitCode, text } = await verify(inFolder("tampered.tar"), "--key", inFolder("allowed"));
      await tamper(
        "DELETE FROM secret_rotation_log; INSERT INTO secret_rotation_log TABLE kept; DROP TABLE kept; DELETE FROM secret_rotation_log_head; INSERT INTO secret_rotation_log_head TABLE kept_head; DROP TABLE kept_head",
      );
      expect(made.stderr).toContain("row 9, which was noted on");
      expect([exitCode, text]).toEqual([
        1,
        expect.stringContaining("row 9 has another hash than the one noted elsewhere"),
      ]);
      const which = await shell(bench(), advised("rotation audit verify", made.stderr));
      expect([chain.exitCode, which.exitCode]).toEqual([1, 0]);
      expect(await fine(bench(), ["evidence", "anchor"])).toBe("Noted already: row 9 is the log's last (anchor 1).");
    });

    it("refuses what is no bundle, and a stack without a key", async () => {
      expect(await verify(inFolder("allowed"), "--key", inFolder("allowed"))).toEqual({
        exitCode: 1,
        text: expect.stringContaining("expected a tar, found none that is whole"),
      });
      await editSettings(bench(), { evidence: undefined });
      const { exitCode, stderr } = await rotation(bench(), ["evidence"]);
      expect([exitCode, stderr]).toEqual([
        2,
        expect.stringContaining("no key signs evidence: set the config key `evidence`"),
      ]);
    });
  });
}

/** An update that needs two signatures. */
export function approvalTests(bench: () => Bench, folder: () => string): void {
  describe("rotation approve", () => {
    const key = (name: string) => join(folder(), `${name}-key`);
    const approve = (name: string) => rotation(bench(), ["approve", "--key", key(name), "--yes"]);
    beforeAll(async () => {
      const by: Record<string, string> = {};
      for (const name of ["alice", "bob", "mallory"]) {
        await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key(name)]);
        if (name !== "mallory") by[name] = (await readFile(`${key(name)}.pub`, "utf8")).trim();
      }
      await editSettings(bench(), { approvals: { required: 2, by } });
      await setRequest(bench(), { id: "approved", rotate: true });
    });
    afterAll(() => editSettings(bench(), { approvals: undefined, request: undefined }));

    it("lets an update act only on a plan that two people have signed, none of them its runner", async () => {
      const refused = await refusedUp(bench());
      expect(unwrapped(refused)).toContain("needs the approval of 2, and nobody has approved it");
      const ran = await rotation(bench(), ["run", "--yes", "--no-preflight"]);
      expect([ran.exitCode, unwrapped(ran.stderr)]).toEqual([1, expect.stringContaining("needs the approval of 2")]);
      const stranger = await approve("mallory");
      expect([stranger.exitCode, stranger.stderr]).toEqual([2, expect.stringContaining("is the key of no approver")]);
      const [hash] = /[0-9a-f]{16}/.exec(refused) ?? [];
      const first = await shell(
        bench(),
        `${advised("rotation approve", refused)} --key ${key("alice")} --yes --stack paper`,
      );
      expect([first.exitCode, first.stdout], first.stderr).toEqual([
        0,
        `${DATABASE}: plan ${hash} approved by alice: commit approvals/${hash}-alice.json`,
      ]);
      expect(unwrapped(await refusedUp(bench()))).toContain("only alice has approved it");
      expect((await approve("bob")).stdout).toContain("approved by bob");
      expect(unwrapped(await refusedUp(bench(), { ROTATED_BY: "bob" }))).toContain("only alice has approved it");
      await up(bench());
      expect((await auditRows(bench())).at(-1)).toMatchObject({
        action: "ROTATE",
        outputs: { plan: expect.stringMatching(new RegExp(`^${hash}`)), approvedBy: ["alice", "bob"] },
      });
      // Nothing is left to approve, and the row stays as it is.
      expect((await up(bench())).stdout).toMatch(UNCHANGED);
      expect((await approve("bob")).stdout).toBe("Nothing was approved.");
    });
  });
}

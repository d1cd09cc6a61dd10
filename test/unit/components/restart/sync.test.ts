import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shellHere } from "../../../../clients/shell";
import { type Sync, waitForSync } from "../../../../components/restart/sync";

/**
 * `kubectl` of a cluster that does not exist: it keeps objects as files and notes each command, with the words and exit
 * codes of kubectl 1.32. An operator is whatever a test lets happen at an annotation.
 */
const KUBECTL = `#!/bin/sh
here=\${0%/*}
echo "$*" >> "$here/commands"
namespace=default
words=
for word in "$@"; do
  case "$word" in --namespace|trading|-o|--overwrite) ;; go-template=*) template=$word ;; *) words="$words $word" ;; esac
done
set -- $words
case "$1" in
  annotate) [ -e "$here/forbidden" ] && { echo 'Error from server (Forbidden): cannot patch' >&2; exit 1; }
    sh "$here/operator" 2>/dev/null; echo "$2/$3 annotated" ;;
  get)
    if [ "$2" = events ]; then
      cat "$here/events" 2>/dev/null || { echo 'Error from server (Forbidden): events is forbidden' >&2; exit 1; }
    elif [ "$2" = secret ]; then
      [ -e "$here/secret" ] || { echo "Error from server (NotFound): secrets \\"$3\\" not found" >&2; exit 1; }
      base64 < "$here/secret" | tr -d '\\n'
    else
      echo 'Warning: an old version of the API' >&2
      cat "$here/object" 2>/dev/null || { echo "Error from server (NotFound): $2 \\"$3\\" not found" >&2; exit 1; }
    fi ;;
esac
`;

let bin: string;
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), "sync-"));
  await writeFile(join(bin, "kubectl"), KUBECTL);
  await chmod(join(bin, "kubectl"), 0o755);
});
afterEach(() => rm(bin, { recursive: true }));

const run = () => shellHere({ PATH: `${bin}:${process.env.PATH}` });
const commands = async () => (await readFile(join(bin, "commands"), "utf8")).trim().split("\n");
const object = (status: object, spec: object = {}) =>
  writeFile(join(bin, "object"), JSON.stringify({ kind: "ExternalSecret", spec, status }));
const ready = (refreshTime: string, status = "True", more: object = {}) => ({
  refreshTime,
  conditions: [{ type: "Ready", status, ...more }],
});
/** What the operator does when it is asked to sync. */
const operator = (script: string) => writeFile(join(bin, "operator"), `cd '${bin}'\n${script}`);
const sync = (more: Partial<Sync> = {}): Sync => ({
  ...{ kubectl: "kubectl --namespace trading", operator: "externalSecret", name: "trader", values: [], timeout: 1500 },
  ...more,
});
const outcome = (given: Sync) => waitForSync(given, run()).catch((error: Error) => error.message);

describe("the sync of an ExternalSecret", () => {
  it("is requested, and over once it is Ready with a later refreshTime", async () => {
    await object(ready("2026-11-23T02:00:00Z"));
    await operator("sed -i s/02:00:00/02:00:05/ object");
    expect(await outcome(sync())).toBe("the ExternalSecret trader has synced");
    expect((await commands())[1]).toMatch(
      /^--namespace trading annotate externalsecrets\.external-secrets\.io trader force-sync=rotation-\d+ --overwrite$/,
    );
  });

  it("is not taken from an earlier refresh, though Ready", async () => {
    await object(ready("2026-11-23T02:00:00Z"));
    await operator("true");
    expect(await outcome(sync())).toBe(
      "the ExternalSecret trader: it has not synced within 2 s: its refreshTime is still 2026-11-23T02:00:00Z; is the operator running? Nothing was restarted: the pods keep the old credential. See `kubectl --namespace trading describe externalsecrets.external-secrets.io trader`, fix it and run this again, which continues here; or roll back.",
    );
  });

  it("that fails is told in the operator's words", async () => {
    await object(ready("2026-11-23T02:00:00Z"));
    const failed = ready("2026-11-23T02:00:00Z", "False", {
      reason: "SecretSyncedError",
      message: "could not get secret data from provider",
    });
    await operator(`cat > object <<'E'\n${JSON.stringify({ spec: {}, status: failed })}\nE`);
    expect(await outcome(sync())).toContain(
      "Ready is False (SecretSyncedError: could not get secret data from provider)",
    );
  });

  it("that can never come is refused at once, or explained", async () => {
    await object(ready("2026-11-23T02:00:00Z"), { refreshPolicy: "CreatedOnce" });
    expect(await outcome(sync({ timeout: 600_000 }))).toContain("its refreshPolicy is CreatedOnce");
    expect(await commands()).toHaveLength(1);
    await object(ready("2026-11-23T02:00:00Z"), { refreshInterval: "0s" });
    await operator("true");
    expect(await outcome(sync())).toContain("with refreshInterval 0s recent versions of External Secrets ignore");
  });

  it("names an object that is not there, and a right that is missing", async () => {
    expect(await outcome(sync())).toContain(
      'Error from server (NotFound): externalsecrets.external-secrets.io "trader" not found. Nothing was restarted',
    );
    await object(ready("2026-11-23T02:00:00Z"));
    await writeFile(join(bin, "forbidden"), "");
    expect(await outcome(sync())).toContain(
      "a sync could not be requested: Error from server (Forbidden): cannot patch",
    );
  });
});

describe("the value in the Kubernetes Secret", () => {
  const value = 'n3w-P4ssword\'s $HOME\\ "x"';
  const values = [{ field: "db.password", value }];

  it.each(["externalSecret", "vaultStaticSecret"] as const)("is compared for a %s", async (name) => {
    await object(ready("2026-11-23T02:00:00Z"));
    await writeFile(join(bin, "secret"), "the old one");
    await writeFile(join(bin, "new"), value);
    await operator("sed -i s/02:00:00/02:00:05/ object; cp new secret");
    const { kind } = { externalSecret: { kind: "ExternalSecret" }, vaultStaticSecret: { kind: "VaultStaticSecret" } }[
      name
    ];
    expect(await outcome(sync({ operator: name, values }))).toBe(`the ${kind} trader has synced, db.password compared`);
    const all = (await commands()).join("\n");
    expect(all).toContain('get secret trader -o go-template={{index .data "db.password"}}');
    expect(all).not.toContain("n3w");
  });

  it("that is another one is waited for, then named without being shown", async () => {
    await object(ready("2026-11-23T02:00:00Z"), { target: { name: "trader-db" } });
    await writeFile(join(bin, "secret"), "the old one");
    await operator("sed -i s/02:00:00/02:00:05/ object");
    const said = await outcome(sync({ values }));
    expect(said).toContain("db.password of the Kubernetes Secret is not the new value");
    for (const shown of ["n3w", "the old one", Buffer.from(value).toString("base64")])
      expect(said).not.toContain(shown);
    expect((await commands()).join("\n")).toContain("get secret trader-db");
    const both = [...values, { field: "db.url", value }];
    await operator("sed -i s/02:00:05/02:00:10/ object");
    expect(await outcome(sync({ values: both }))).toContain(
      "db.password and db.url of the Kubernetes Secret are not the new values",
    );
  });

  it("that a VaultStaticSecret does not bring is explained by the operator's latest event", async () => {
    await object({});
    await writeFile(join(bin, "secret"), "the old one");
    await operator("true");
    const given = sync({ operator: "vaultStaticSecret", values, timeout: 100 });
    const said = async (...items: object[]) => {
      await writeFile(join(bin, "events"), JSON.stringify({ items }));
      return outcome(given);
    };
    const before = "db.password of the Kubernetes Secret is not the new value; ";
    const after = " Nothing was restarted";
    const at = "2026-11-23T02:00:07Z";
    const message = "Failed to read Vault secret: Error making API request.\n\nCode: 403";
    const failed = { type: "Warning", lastTimestamp: at, reason: "VaultClientError", message };
    const synced = { type: "Normal", lastTimestamp: at, reason: "SecretRotated", message: "Secret synced" };
    const words = "is VaultClientError: Failed to read Vault secret: Error making API request. Code: 403";
    const earlier = { ...synced, lastTimestamp: "2026-11-23T02:00:00Z" };
    for (const items of [
      [failed, earlier],
      [earlier, failed, { ...synced, lastTimestamp: null }],
    ])
      expect(await said(...items)).toContain(`${before}its latest event, of ${at}, ${words}.${after}`);
    expect(await said(synced)).toContain(
      `${before}its latest event, of ${at}, is SecretRotated: Secret synced; is the operator running, and does it read this path of the store?${after}`,
    );
    expect(await said()).toContain(`${before}it has no recent event: is the operator running?${after}`);
    expect((await commands()).at(-1)).toContain(
      "--namespace trading get events --field-selector involvedObject.kind=VaultStaticSecret,involvedObject.name=trader",
    );
    await rm(join(bin, "events"));
    expect(await outcome(given)).toContain(
      `${before}its events, which may say why, could not be read (Error from server (Forbidden): events is forbidden).${after}`,
    );
  });

  it("can never come from a fixed version", async () => {
    await object({}, { version: 7 });
    const given = sync({ operator: "vaultStaticSecret", values, timeout: 600_000 });
    expect(await outcome(given)).toContain(
      "the VaultStaticSecret trader: its version is 7, so it never takes a new value; remove that field. Nothing",
    );
    expect(await commands()).toHaveLength(1);
  });

  it("that may not be read says so", async () => {
    await object(ready("2026-11-23T02:00:00Z"));
    await operator("sed -i s/02:00:00/02:00:05/ object");
    expect(await outcome(sync({ values }))).toContain(
      'the Secret trader could not be read: Error from server (NotFound): secrets "trader" not found',
    );
  });
});

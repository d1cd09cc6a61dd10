import * as random from "@pulumi/random";
import { openRotationStack, PostgresPassword } from "secret-rotation";

/** The settings are in the stack's file, under `secret-rotation:`, so that the `rotation` command line reads them too. */
export = async () => {
  const rotation = await openRotationStack();
  const args = rotation.argsOf(PostgresPassword, "database/password");
  const password = new PostgresPassword("database-password", args);

  // Resources of your own: this one is replaced once the services use another generation.
  const release = new random.RandomId("release", {
    byteLength: 4,
    keepers: { generation: password.state.apply(({ slots, active }) => String(slots[active])) },
  });

  return { release: release.hex, secrets: rotation.outputs({ "database/password": password }) };
};

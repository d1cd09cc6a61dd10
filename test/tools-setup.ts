import { resolveToolchain } from "../dev/toolchain/resolve";

/** Makes the tools once, before any test asks for them: with an empty cache that takes minutes. */
export default async function setup(): Promise<void> {
  await resolveToolchain({
    need: ["pulumi", "openbao", "moto", "kubernetes-validate"],
    onProgress: (line) => console.log(line),
  });
}

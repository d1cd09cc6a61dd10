import { rename, writeFile } from "node:fs/promises";
import { print } from "./run-command";

/** Prints a text, or writes it to a file that others read: in one step, so that nobody ever sees half of it. */
export async function output(text: string, file: string | undefined): Promise<void> {
  if (file === undefined) return print(text);
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}

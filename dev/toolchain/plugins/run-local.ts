import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { ResourceContext } from "./provider";
import type { Properties } from "./values";

/** One script to run. */
export interface RunRequest {
  script: string;
  /** The resource's inputs, without secret marks. */
  values: Properties;
  environment: Record<string, string>;
  context: ResourceContext;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  /** Both, in the order in which they came. */
  combined: string;
  /** Why it failed, in the words of the real plugin. */
  failure?: string;
}

/** Collects what a process writes, and shows it line by line as `logging` wants: `none`, `stdout`, `stderr`, or both. */
export class Output {
  #out: Buffer[] = [];
  #err: Buffer[] = [];
  #all: Buffer[] = [];
  readonly #showOut: (chunk: Buffer) => void;
  readonly #showErr: (chunk: Buffer) => void;

  constructor({ values, context }: RunRequest) {
    const { logging = "stdoutAndStderr" } = values;
    const both = logging === "stdoutAndStderr";
    this.#showOut = both || logging === "stdout" ? byLine(context.log) : () => undefined;
    this.#showErr = both || logging === "stderr" ? byLine(context.log) : () => undefined;
  }

  stdout = (chunk: Buffer): void => {
    this.#out.push(chunk);
    this.#all.push(chunk);
    this.#showOut(chunk);
  };

  stderr = (chunk: Buffer): void => {
    this.#err.push(chunk);
    this.#all.push(chunk);
    this.#showErr(chunk);
  };

  result(failure?: string): RunResult {
    const [stdout, stderr, combined] = [this.#out, this.#err, this.#all].map((chunks) =>
      Buffer.concat(chunks).toString(),
    );
    this.#showOut(Buffer.from("\n"));
    this.#showErr(Buffer.from("\n"));
    return { stdout: stdout ?? "", stderr: stderr ?? "", combined: combined ?? "", ...(failure ? { failure } : {}) };
  }
}

function byLine(show: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder();
  let rest = "";
  return (chunk) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) show(line);
  };
}

/** Runs a script with the interpreter (default `/bin/sh -c`) on this machine. */
export function runLocal(request: RunRequest): Promise<RunResult> {
  const { script, values, environment, context } = request;
  const interpreter = Array.isArray(values.interpreter) ? values.interpreter.map(String) : ["/bin/sh", "-c"];
  const [program = "/bin/sh", ...parameters] = interpreter;
  const output = new Output(request);
  const child = spawn(program, [...parameters, script], {
    cwd: typeof values.dir === "string" ? values.dir : undefined,
    env: { ...process.env, ...environment },
  });
  // As Go does it: the shell alone is killed, and whatever it has started is waited for as long as it holds the output.
  const stop = () => void child.kill("SIGKILL");
  const limit = context.timeout > 0 ? setTimeout(stop, context.timeout * 1000) : undefined;
  context.signal.addEventListener("abort", stop, { once: true });
  child.stdout.on("data", output.stdout);
  child.stderr.on("data", output.stderr);
  // A script that does not read its input closes the pipe early, and that is fine.
  child.stdin.on("error", () => undefined);
  child.stdin.end(typeof values.stdin === "string" ? values.stdin : "");
  return new Promise<RunResult>((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined) resolve(output.result(`fork/exec ${program}: ${error.message}`));
    });
    child.on("close", (code, signal) => resolve(output.result(failureText(code, signal))));
  }).finally(() => {
    clearTimeout(limit);
    context.signal.removeEventListener("abort", stop);
  });
}

function failureText(code: number | null, signal: string | null): string | undefined {
  if (code === 0) return undefined;
  if (code !== null) return `exit status ${code}`;
  return `signal: ${signal === "SIGKILL" ? "killed" : signal === "SIGTERM" ? "terminated" : signal}`;
}

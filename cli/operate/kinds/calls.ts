import { type CommandOptions, type CommandRun, KILLED, runWithInput } from "../../../clients/json-command";
import { messageOf } from "../../../core/errors";
import { formsOf } from "../../../core/redact";
import {
  type Action,
  type AnswerOf,
  environmentOf,
  type RequestOf,
  readAnswer,
  type Values,
} from "../../../kinds/custom/protocol";
import { type KindDeclaration, PROTOCOL } from "../../../kinds/custom/schema";
import { seesProcesses, untilQuiet, watchProcesses } from "./processes";
import type { Promises } from "./promises";

/** A kind in its folder. */
export interface KindFolder {
  readonly directory: string;
  readonly declaration: KindDeclaration;
}

/** What a command answered, or why it failed; with the answer that it printed all the same, which is not one to trust. */
export type Called<A extends Action> =
  | { readonly answer: AnswerOf<A> }
  | {
      readonly failed: string;
      readonly printed: AnswerOf<A> | undefined;
      /** Whether it broke a promise by that: what it says next means nothing. */
      readonly breaks: boolean;
    };

/** A value that a process had, at every place where it was seen. */
interface Seen {
  readonly where: "stderr" | "command line" | "environment";
  readonly action: Action;
  readonly texts: readonly string[];
}

/** Runs the commands of a kind, and watches at each run what holds for all of them. */
export class Calls {
  /** Every value that a command has returned. */
  readonly #values = new Set<string>();
  readonly #seen: Seen[] = [];
  readonly #env: NodeJS.ProcessEnv;
  #count = 0;

  /** @throws CommandError if a variable is missing */
  constructor(
    readonly kind: KindFolder,
    /** What the ids of this test begin with. */
    readonly run: string,
    readonly promises: Promises,
  ) {
    this.#env = environmentOf(kind.declaration);
  }

  /** The id of a generation. */
  id = (generation: number): string => `${this.run}/${SECRET}/${generation}`;

  issue = (generation: number, more = {}): Promise<Called<"issue">> =>
    this.#call({ action: "issue", ...this.#about, id: this.id(generation) }, more);

  verify = (values: Values, more = {}): Promise<Called<"verify">> =>
    this.#call({ action: "verify", ...this.#about, values: { ...values } }, more);

  revoke = (values: Values, generation: number, more = {}): Promise<Called<"revoke">> =>
    this.#call({ action: "revoke", ...this.#about, id: this.id(generation), values: { ...values } }, more);

  /** Options with which the issuer cannot be reached. */
  get unreachable(): Partial<CommandOptions> {
    return { env: { ...this.#env, ...this.kind.declaration.unreachable } };
  }

  get #about() {
    return { protocol: PROTOCOL, secret: SECRET, fields: this.kind.declaration.fields } as const;
  }

  async #call<A extends Action>(asked: RequestOf<A>, more: Partial<CommandOptions>): Promise<Called<A>> {
    const { declaration, directory } = this.kind;
    const run = await this.#watched(asked.action, { input: `${JSON.stringify(asked)}\n`, ...more });
    const read = (one: CommandRun) => {
      const answer = readAnswer({ ...declaration, directory }, asked, one, this.#env);
      if ("values" in answer) for (const value of Object.values(answer.values)) this.#values.add(value);
      return answer;
    };
    try {
      return { answer: read(run) };
    } catch (error) {
      const failed = messageOf(error);
      if (run.status === null) this.promises.breaks("limit", failed);
      if (run.status === 0) this.promises.breaks("answers", failed);
      const printed = attempt(() => read({ ...run, status: 0 }));
      return { failed, printed, breaks: run.status === null || run.status === 0 };
    }
  }

  /** Runs a command and keeps what its processes and its standard error had. */
  async #watched(
    action: Action,
    options: Pick<CommandOptions, "input"> & Partial<CommandOptions>,
  ): Promise<CommandRun> {
    const { declaration, directory } = this.kind;
    let watch: ReturnType<typeof watchProcesses> | undefined;
    const run = await runWithInput(declaration.commands[action], {
      directory,
      env: this.#env,
      limit: declaration.timeout,
      ...options,
      onStart: (pid) => {
        if (seesProcesses()) watch = watchProcesses(pid);
        options.onStart?.(pid);
      },
    });
    this.#count++;
    const { lines, environments } = watch?.stop() ?? { lines: [], environments: [] };
    this.#seen.push({ where: "stderr", action, texts: [run.stderr] });
    this.#seen.push({ where: "command line", action, texts: [...lines] });
    this.#seen.push({ where: "environment", action, texts: [...environments] });
    return run;
  }

  /** Runs a command without a request: its standard input has ended. */
  async withoutRequest(action: Action): Promise<void> {
    const { status, stdout } = await this.#watched(action, { input: "" });
    if (status === null) this.promises.breaks("no-request", `${action} waits for more`);
    else if (status === 0)
      this.promises.breaks("no-request", `${action} succeeded and printed ${stdout.length} characters`);
    else this.promises.keeps("no-request", "each failed");
  }

  /** Ends a command by SIGTERM while it waits for the rest of its request. */
  async terminated(action: Action): Promise<void> {
    const end = new AbortController();
    const onStart = (pid: number) => void untilQuiet(pid).then(() => end.abort());
    const { status } = await this.#watched(action, { input: "{", endInput: false, onStart, signal: end.signal });
    if (status === KILLED || status === null) this.promises.breaks("terminated", `${action} had to be killed`);
    else this.promises.keeps("terminated", "each ended");
  }

  /** Judges what was seen at every run. */
  judge(): void {
    const forms = [...this.#values].flatMap((value) => [...formsOf(value)]).filter(({ length }) => length >= 6);
    const isIn = (text: string) => forms.some((form) => text.includes(form));
    const many = `in ${this.#count} runs`;
    for (const { where, action, texts } of this.#seen)
      if (texts.some(isIn))
        this.promises.breaks(where === "stderr" ? "stderr" : "processes", `${action} had a value ${PLACES[where]}`);
    if (forms.length === 0) return;
    this.promises.keeps("stderr", many);
    const isSeen = this.#seen.some(({ where, texts }) => where === "command line" && texts.length > 0);
    if (isSeen) this.promises.keeps("processes", `${many}, by what /proc showed every few milliseconds`);
    else this.promises.notSeen("processes", "this machine has no /proc that shows them");
    this.promises.keeps("limit", many);
    this.promises.keeps("answers", many);
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The name of the secret in this test. */
const SECRET = "kinds/test";

const PLACES = {
  stderr: "on standard error",
  "command line": "on the command line of one of its processes",
  environment: "in the environment of one of its processes",
} as const;

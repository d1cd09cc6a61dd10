import { randomUUID } from "node:crypto";
import type { ProbeFigures } from "../core/probes";
import type { PreflightResult } from "./operate/preflight";
import type { RunListener } from "./operate/run-result";
import { followPhases } from "./render/run";
import type { LineContent, RunLine } from "./render/run-lines";

/** A line of JSON for each thing that happens in a run. */
export class JsonLines {
  private readonly run = randomUUID();

  constructor(
    private readonly stack: string,
    private readonly write: (line: RunLine) => void,
  ) {}

  say(content: LineContent): void {
    const { run, stack } = this;
    const line = { time: new Date().toISOString(), run, stack, ...content } as RunLine;
    this.write(line);
  }

  /** @param confirm whether to go on with a plan */
  listener(confirm: RunListener["confirm"]): RunListener & { readonly notes: string[]; stop(): void } {
    const notes: string[] = [];
    let happening: ReturnType<typeof followPhases> = () => undefined;
    return {
      notes,
      confirm,
      stop: () => undefined,
      step: (text) => this.say({ type: "step", text }),
      note: (text) => {
        notes.push(text);
        this.say({ type: "note", text });
      },
      preflight: (results) => {
        for (const result of results) this.preflight(result);
      },
      plan: ({ secrets }, outline) => {
        happening = followPhases(
          secrets.map(({ secret }) => secret),
          outline,
          ({ secret, phase, state, restart }) =>
            restart === undefined
              ? this.say({ type: "phase", secret, phase: phase ?? null, state })
              : this.say({ type: "restart", secret, ...restart, host: restart.host ?? null, state }),
        );
        for (const { secret, action, headline } of secrets)
          this.say({ type: "plan", secret, action: action ?? null, headline });
      },
      happening: (event) => {
        if (event.kind === "probe") return this.probe(event.secret, event.figures);
        if (event.kind !== "message") return happening(event);
        this.say({ type: "finding", secret: null, source: "program", level: "info", text: event.text });
      },
    };
  }

  private probe(secret: string, figures: ProbeFigures): void {
    const { logins, exposure, unseen = 0, longestGapMs, unavailable, failures = [] } = figures;
    this.say({
      ...{ type: "probe", secret, ...logins, refused: exposure?.refused ?? 0, unseen, longestGapMs },
      ...{ unavailableSeconds: unavailable.seconds, failures },
    });
  }

  private preflight({ secret, ok, checks }: PreflightResult): void {
    this.say({
      type: "preflight",
      secret,
      ok,
      checks: checks.map((check) => ({ ...check, warnings: [...(check.warnings ?? [])] })),
    });
    for (const { name, ok: passed, evidence, warnings = [] } of checks) {
      const finding = { type: "finding", secret, source: "preflight" } as const;
      if (!passed) this.say({ ...finding, level: "error", text: `${name}: ${evidence}` });
      for (const text of warnings) this.say({ ...finding, level: "warning", text });
    }
  }
}

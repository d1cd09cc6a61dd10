import { type Command, Option } from "commander";
import { type CommonOptions, common, EXIT, print, printJson, projectOf } from "../run-command";

interface PlanOptions extends CommonOptions {
  readonly format: "text" | "markdown" | "json";
}

/** `rotation plan` */
export function registerPlan(program: Command): void {
  common(
    program.command("plan").description("show what an update would do, in words for a reviewer; changes nothing"),
    "rotation plan --stack prod --format markdown > comment.md\nrotation plan --stacks 'prod-*' --parallel 2",
    "stacks",
  )
    .addOption(new Option("--format <format>", "how to print it").choices(["text", "markdown", "json"]).default("text"))
    .action(async (options: PlanOptions) => {
      const [{ makePlan }, { during }] = await Promise.all([
        import("../operate/make-plan"),
        import("../render/progress"),
      ]);
      const project = await projectOf(options);
      const plan = await during("preview: asking the engine what would change", options, () => makePlan(project));
      const { planMarkdown, renderPlan } = await import("../render/plan");
      if (options.json || options.format === "json") printJson(plan);
      else print(options.format === "markdown" ? planMarkdown(plan) : renderPlan(plan));
      process.exitCode = plan.dangers.length > 0 ? EXIT.failed : EXIT.fine;
    });
}

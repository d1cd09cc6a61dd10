import { join } from "node:path";
import { type Command, Option } from "commander";
import { homeOf } from "../../config/home";
import { type CommonOptions, common, print, printJson, projectOf } from "../run-command";

interface ApproveOptions extends CommonOptions {
  readonly key: string;
  readonly yes?: true;
}

/** `rotation approve` */
export function registerApprove(program: Command): void {
  common(
    program
      .command("approve")
      .description("approve what an update would do, with your own SSH key; commit the file that it writes"),
    "rotation approve --key ~/.ssh/id_ed25519 --stack prod",
  )
    .addOption(
      new Option("-k, --key <file>", "your SSH key, one of `approvals.by`").default(
        join(homeOf(process.env) ?? "", ".ssh", "id_ed25519"),
        "~/.ssh/id_ed25519",
      ),
    )
    .option("-y, --yes", "do not ask")
    .action(async ({ key, yes, ...options }: ApproveOptions) => {
      const [{ approve }, { renderPlan }] = await Promise.all([import("../operate/approve"), import("../render/plan")]);
      const project = await projectOf(options);
      const written = await approve(project, key, async (plan) => {
        if (yes) return true;
        const { assertTerminal, confirmed } = await import("../run-listener");
        assertTerminal();
        print(renderPlan(plan));
        return confirmed("Approve this?");
      });
      if (options.json) printJson(written);
      else if (written.length === 0) print("Nothing was approved.");
      else
        for (const { secret, plan, by, file } of written)
          print(`${secret}: plan ${plan.slice(0, 16)} approved by ${by}: commit ${file}`);
    });
}

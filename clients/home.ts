import { userInfo } from "node:os";
import { join } from "node:path";
import { passwdHome } from "../config/home";

/** The user's home as Pulumi finds it: the entry in passwd, else HOME. */
export const homeForPulumi = (env: NodeJS.ProcessEnv): string | undefined => passwdHome() || env.HOME;

/** Where Pulumi keeps plugins, credentials and the selected stacks: PULUMI_HOME, else `~/.pulumi`. */
export const pulumiHome = (env: NodeJS.ProcessEnv): string =>
  env.PULUMI_HOME || join(homeForPulumi(env) ?? "", ".pulumi");

/** The folders in which a plugin may have been installed: Pulumi's own, and the one below HOME. */
export const pluginHomes = (env: NodeJS.ProcessEnv): string[] => [
  ...new Set([pulumiHome(env), ...(env.PULUMI_HOME || !env.HOME ? [] : [join(env.HOME, ".pulumi")])]),
];

/** The account's name; its number if it has no entry in passwd. */
export function accountOf(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER || env.LOGNAME || `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Who runs this: ROTATED_BY, else the pipeline's actor, else the account. */
export const operator = (env: NodeJS.ProcessEnv): string => env.ROTATED_BY || env.GITHUB_ACTOR || accountOf(env);

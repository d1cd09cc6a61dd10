import { userInfo } from "node:os";

/**
 * The user's home as the tools beside us look for it: HOME, and only without one the passwd's. Undefined where there is
 * neither, as for a container's user that no passwd knows.
 */
export function homeOf(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HOME) return env.HOME;
  try {
    return userInfo().homedir || undefined;
  } catch {
    return undefined;
  }
}

/** The account's name; its number where no passwd knows it. */
export function accountOf(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER || env.LOGNAME || `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Who is at work: ROTATED_BY, else the pipeline's actor, else the account. */
export const operator = (env: NodeJS.ProcessEnv): string => env.ROTATED_BY || env.GITHUB_ACTOR || accountOf(env);

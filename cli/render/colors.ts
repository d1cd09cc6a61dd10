import pc from "picocolors";

/** Colours on a terminal, and none elsewhere, with NO_COLOR, or with TERM=dumb. */
export const colors = pc.createColors(
  process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb",
);

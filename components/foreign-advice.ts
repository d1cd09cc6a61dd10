/** The two options after an external write to the store; the end of a message. */
export const twoWays = (takeOver: string, overwrite: string) =>
  `Nothing was overwritten. Two ways on: take that value over (${takeOver}), or overwrite it (${overwrite}); then \`pulumi up\``;

/** The command that makes a request for a secret. */
export const requestFor = (secret: string, wish: string) =>
  `\`pulumi config set request '{"id":"NEW-ID","secret":"${secret}",${wish},"reason":"WHY"}'\``;

/**
 * What to do after an external write of a password that this pipeline makes; the end of a message.
 *
 * @param stack the stack's name, for commands
 * @param inUse the generation in use; undefined if the stack does not know its value
 */
export function passwordAdvice(secret: string, stack: string | undefined, inUse: number | undefined): string {
  if (inUse === undefined) return unknownAdvice(secret, stack);
  const correct =
    inUse === 0
      ? `Make \`adopted\` the value in use, as in the store: pulumi config set --secret --path 'adopted["${secret}"]'. `
      : "";
  return correct + foreignAdvice(secret);
}

/** The two options after an external write of a password to the store; the end of a message. */
function foreignAdvice(secret: string): string {
  return twoWays(
    `set it with \`pulumi config set --secret --path 'adopted["${secret}"]'\`, then ${requestFor(secret, '"adopt":true')}`,
    requestFor(secret, '"rotate":true,"force":true'),
  );
}

/** The two options if the store holds a value that this stack does not know as the one in use. */
function unknownAdvice(secret: string, stack: string | undefined): string {
  const named = stack === undefined ? "" : ` --stack ${stack}`;
  return (
    `Nothing was overwritten. Two ways on: adopt that value (\`rotation adopt ${secret}${named}\` copies it into the config, and ` +
    `the first rotation can be rolled back to it), or overwrite it (${requestFor(secret, '"rotate":true,"force":true')}); ` +
    "then `pulumi up`"
  );
}

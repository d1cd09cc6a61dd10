/** The two ways on where somebody else wrote a password into the store; the end of a message. */
export function foreignAdvice(secret: string): string {
  return twoWays(
    `set it with \`pulumi config set --secret --path 'adopted["${secret}"]'\`, then ${requestFor(secret, '"adopt":true')}`,
    requestFor(secret, '"rotate":true,"force":true'),
  );
}

/** The two ways on where the store holds a value and nobody told this stack that it is the one in use. */
export function unknownAdvice(secret: string, stack: string | undefined): string {
  const named = stack === undefined ? "" : ` --stack ${stack}`;
  return (
    `Nothing was overwritten. Two ways on: adopt that value (\`rotation adopt ${secret}${named}\` copies it into the config, and ` +
    `the first rotation can be rolled back to it), or overwrite it (${requestFor(secret, '"rotate":true,"force":true')}); ` +
    "then `pulumi up`"
  );
}

/**
 * The same for a key pair.
 *
 * @param back the generation that a rollback returns to; undefined for a rotation.
 */
export function foreignPairAdvice(secret: string, back: number | undefined): string {
  const wish = back === undefined ? '"rotate":true' : `"activate":${back}`;
  return twoWays(
    "supply it under a new label with `rotation alpaca add-key`",
    requestFor(secret, `${wish},"force":true`),
  );
}

const twoWays = (takeOver: string, overwrite: string) =>
  `Nothing was overwritten. Two ways on: take that value over (${takeOver}), or overwrite it (${overwrite}); then \`pulumi up\``;

const requestFor = (secret: string, wish: string) =>
  `\`pulumi config set request '{"id":"NEW-ID","secret":"${secret}",${wish},"reason":"WHY"}'\``;

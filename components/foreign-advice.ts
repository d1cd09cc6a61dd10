/** The two ways on where somebody else wrote a secret into the store; the end of a message. */
export function foreignAdvice(secret: string): string {
  const request = (wish: string) =>
    `\`pulumi config set request '{"id":"NEW-ID","secret":"${secret}",${wish},"reason":"WHY"}'\``;
  return (
    "Nothing was overwritten. Two ways on: take that value over (set it with " +
    `\`pulumi config set --secret --path 'adopted["${secret}"]'\`, then ${request('"adopt":true')}), ` +
    `or overwrite it (${request('"rotate":true,"force":true')}); then \`pulumi up\``
  );
}

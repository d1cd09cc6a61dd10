/** The two options after an external write to the store; the end of a message. */
export const twoWays = (takeOver: string, overwrite: string) =>
  `Nothing was overwritten. Two ways on: take that value over (${takeOver}), or overwrite it (${overwrite}); then \`pulumi up\``;

/** The command that makes a request for a secret. */
export const requestFor = (secret: string, wish: string) =>
  `\`pulumi config set request '{"id":"NEW-ID","secret":"${secret}",${wish},"reason":"WHY"}'\``;

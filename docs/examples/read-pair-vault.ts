/** Reads values of Vault's KV v2 that belong together, and never one of the old pair with one of the new. */
async function read(path: string): Promise<{ value: string; generation?: string }> {
  const headers = { "X-Vault-Token": process.env.VAULT_TOKEN ?? "" };
  const answer = await fetch(`${process.env.VAULT_ADDR}/v1/secret/data/${path}`, { headers });
  const { data } = (await answer.json()) as { data: { data: { value: string; generation?: string } } };
  return data.data;
}

export async function readPair(...paths: string[]): Promise<string[]> {
  for (;;) {
    const parts: Awaited<ReturnType<typeof read>>[] = [];
    for (const path of paths) parts.push(await read(path));
    if (new Set(parts.map(({ generation }) => generation)).size === 1) return parts.map(({ value }) => value);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

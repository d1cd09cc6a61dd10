import type pg from "pg";

const PAGE = 2_000;

/**
 * The rows of a query, a page at a time, through a cursor of the current transaction: in constant memory, however many
 * there are. The server prepares the next page while one is worked on.
 * @param name of the cursor; one of that name may be open at a time
 */
export async function* pagesOf<Row extends pg.QueryResultRow | unknown[]>(
  client: pg.ClientBase,
  name: string,
  { text, values = [], rowMode }: { text: string; values?: unknown[]; rowMode?: "array" },
): AsyncGenerator<Row[]> {
  await client.query(`DECLARE ${name} NO SCROLL CURSOR FOR ${text}`, values);
  const query = { text: `FETCH FORWARD ${PAGE} FROM ${name}`, ...(rowMode === undefined ? {} : { rowMode }) };
  const fetch = async () => (await client.query(query as pg.QueryConfig)).rows as Row[];
  let next = fetch();
  try {
    for (let page = await next; page.length > 0; page = await next) {
      next = fetch();
      yield page;
    }
  } finally {
    // If the reader stops early, the page that was requested ahead is not awaited.
    await next.catch(() => undefined);
  }
}

/** Does work on one snapshot of the database, in which cursors can be opened. Writers are not blocked. */
export async function onSnapshot<Result>(client: pg.ClientBase, work: () => Promise<Result>): Promise<Result> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    return await work();
  } finally {
    await client.query("ROLLBACK");
  }
}

import { type ListedEvent, listEvents } from "../../../audit/outbox";
import { readLog } from "../audit-log";
import type { Project } from "../project";
import { readOutline } from "../settings";

/** The newest events of a stack, newest first, with what became of each delivery. */
export async function eventsOf(project: Project, limit: number): Promise<ListedEvent[]> {
  const outline = await readOutline(project);
  const about = { stack: project.stack, environment: outline.environment };
  const found = await readLog(outline, async (client) => {
    const { rows } = await client.query("SELECT to_regclass('secret_rotation_events') AS outbox");
    return rows[0]?.outbox === null ? [] : listEvents(client, about, limit);
  });
  return found ?? [];
}

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { Fault, Health } from "./types";

/** The fault that the lab has set. */
export function readFault(file: string): Fault | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Fault;
  } catch {
    return undefined;
  }
}

/**
 * Serves `GET /health`: 200 when healthy, 503 when not, or what the fault says; and `POST /reload`: 204 once the new
 * credentials work, 503 if they do not.
 */
export function healthServer(health: () => Health, faultFile: string, reload: () => Promise<boolean>): Server {
  return createServer((request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/reload" && request.method === "POST") {
      void reload().then((ok) => response.writeHead(ok ? 204 : 503).end());
      return;
    }
    if (path !== "/health") {
      response.writeHead(404).end();
      return;
    }
    const fault = readFault(faultFile);
    if (fault?.kind === "hangs") return;
    if (fault?.kind === "html") {
      response.writeHead(200, { "content-type": "text/html" }).end("<html><body>It works!</body></html>");
      return;
    }
    if (fault?.kind === "answers") {
      response.writeHead(fault.code, { "content-type": "application/json" }).end(fault.body);
      return;
    }
    const answer = misled(health(), fault);
    response
      .writeHead(answer.status === "healthy" ? 200 : 503, { "content-type": "application/json" })
      .end(JSON.stringify(answer));
  });
}

/** How many answers a flapping service has given. */
let answered = 0;

function misled(health: Health, fault: Fault | undefined): Health {
  const unhealthy: Health = { ...health, status: "unhealthy", error: "a fault of the lab" };
  if (fault?.kind === "never-healthy") return unhealthy;
  if (fault?.kind === "flaps" && fault.everyOther) return answered++ % 2 === 0 ? unhealthy : health;
  if (fault?.kind === "flaps" && Math.floor(Date.now() / (fault.periodMs ?? 300)) % 2 === 0) return unhealthy;
  return health;
}

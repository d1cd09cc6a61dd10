import { Webhook } from "standardwebhooks";
import type { EventTargetConfig } from "../../../config";
import type { CloudEvent } from "../../../core/events";
import { messageOf } from "./message";
import { post } from "./post";

/** The media type of CloudEvents' structured mode. */
const CLOUD_EVENT = "application/cloudevents+json; charset=utf-8";

/** Sends one event to one receiver. @throws OperationError if it was not accepted */
export async function sendEvent(target: EventTargetConfig, event: CloudEvent): Promise<void> {
  switch (target.kind) {
    case "webhook": {
      const { url, secret } = target;
      const [body, now] = [JSON.stringify(event), new Date()];
      const headers = {
        "content-type": CLOUD_EVENT,
        "webhook-id": event.id,
        "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
        "webhook-signature": new Webhook(secret).sign(event.id, now, body),
      };
      return post("the receiver", { url, body, headers, secrets: [secret] });
    }
    case "slack": {
      const { slackBody } = await import("./slack");
      return post("Slack", { url: target.url, body: JSON.stringify(slackBody(messageOf(event.data))) });
    }
    case "teams": {
      const { teamsBody } = await import("./teams");
      return post("Teams", { url: target.url, body: JSON.stringify(teamsBody(messageOf(event.data))) });
    }
    case "pagerduty": {
      const { pagerdutyBody } = await import("./pagerduty");
      const { url, routingKey } = target;
      return post("PagerDuty", { url, body: JSON.stringify(pagerdutyBody(event, routingKey)), secrets: [routingKey] });
    }
    case "email": {
      const [{ sendMail }, { recipientsOf }] = await Promise.all([import("./mail"), import("./recipients")]);
      for (const recipient of recipientsOf(target)) await sendMail(target, messageOf(event.data), recipient);
    }
  }
}

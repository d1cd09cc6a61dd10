import { type ServiceError, status } from "@grpc/grpc-js";
import { messageOf } from "../../../core/errors";

/** Makes a gRPC method from a plain function. */
export type Answer = <Q, A>(
  respond: (request: Q) => A | Promise<A>,
) => (call: { request: Q }, callback: Callback<A>) => void;

type Callback<A> = (error: Partial<ServiceError> | null, response?: A) => void;

/**
 * What the function throws becomes the error's text, as the real plugins do. Requests in flight are in `work`, and
 * `beforeAnswer` is awaited ahead of each answer.
 */
export function tracked(work: Set<Promise<void>>, beforeAnswer: () => Promise<void>): Answer {
  return <Q, A>(respond: (request: Q) => A | Promise<A>) =>
    (call: { request: Q }, callback: Callback<A>): void => {
      const job = Promise.resolve()
        .then(() => respond(call.request))
        .finally(beforeAnswer)
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback({ code: status.UNKNOWN, details: messageOf(error) }),
        )
        .finally(() => work.delete(job));
      work.add(job);
    };
}

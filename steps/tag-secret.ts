import * as z from "zod";
import { AwsClient } from "./aws";
import { runStep, StepError } from "./run-step";
import { storeReference } from "./store";

const input = z.object({ store: storeReference, path: z.string(), tags: z.record(z.string(), z.string()) });

/** Every tag that the pipeline sets; one that is not given is taken off. */
const OWN = [
  "rotation_date",
  "status",
  "generation",
  "previous_generation",
  "deprecated_version",
  "deprecated_label",
  "grace_until",
];

/** Marks a secret of AWS Secrets Manager with tags. */
await runStep(input, async ({ store, path, tags }) => {
  if (store.kind !== "aws") throw new StepError(`expected a store of the kind aws, found ${store.kind}`);
  await new AwsClient(store).tag(
    path,
    tags,
    OWN.filter((name) => !(name in tags)),
  );
  return { tagged: Object.keys(tags) };
});

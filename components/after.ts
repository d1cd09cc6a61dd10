import type * as pulumi from "@pulumi/pulumi";

/** What a resource may depend on: one, several, or some that are declared later. */
export type After = NonNullable<pulumi.ResourceOptions["dependsOn"]>;

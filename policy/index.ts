import { PolicyPack } from "@pulumi/policy";
import { policies } from "./rules";

// `pulumi preview --policy-pack policy` runs it; docs/policy.md.
new PolicyPack("secret-rotation", { enforcementLevel: "mandatory", policies });

# What the pipeline may do with KV v2: write new versions, read them back, mark them. It can delete or destroy nothing.
#
#   sed 's/ENVIRONMENT/prod/' deploy/vault/pipeline.hcl | vault policy write rotation-pipeline-prod -
#
# `secret` is the mount (config key store.mount). Asking the token for its own capabilities, which the preflight does, is
# part of Vault's `default` policy, as is looking itself up.
#
# The marks are the custom metadata: a patch leaves those of others alone. `update` in its place does too, with a moment
# between reading and writing in which a change of theirs is lost.

path "secret/data/ENVIRONMENT/*" {
  capabilities = ["create", "read", "update"]
}

path "secret/metadata/ENVIRONMENT/*" {
  capabilities = ["read", "patch"]
}

# What the pipeline may do with KV v2: write new versions, read them back, mark them. It cannot delete or destroy anything.
#
#   sed 's/ENVIRONMENT/prod/' deploy/vault/pipeline.hcl | vault policy write rotation-pipeline-prod -
#
# `secret` is the mount (config key store.mount). The preflight queries the token and its capabilities, which Vault's
# `default` policy allows.
#
# The marks are custom metadata: a patch keeps all other metadata. So does `update` instead of `patch`, but an external
# change between its read and its write is lost.

path "secret/data/ENVIRONMENT/*" {
  capabilities = ["create", "read", "update"]
}

path "secret/metadata/ENVIRONMENT/*" {
  capabilities = ["read", "patch"]
}

# What a service may do with KV v2: read the values of its environment, and nothing else.
#
#   sed 's/ENVIRONMENT/prod/' deploy/vault/services.hcl | vault policy write rotation-services-prod -
#
# A service that reads only one secret gets a policy with that path: secret/data/prod/alpaca/*.

path "secret/data/ENVIRONMENT/*" {
  capabilities = ["read"]
}

# In addition to `pipeline`, only if a secret has strategy vault-static or vault-dynamic (docs/vault.md): configure the
# database secrets engine, make it rotate, and read its credentials. It cannot remove anything.
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/database" { capabilities = ["create", "read", "update"] }
path "sys/policies/acl/ENVIRONMENT-*" { capabilities = ["create", "read", "update"] }
path "database/config/*" { capabilities = ["create", "read", "update"] }
path "database/static-roles/*" { capabilities = ["create", "read", "update"] }
path "database/static-creds/*" { capabilities = ["read"] }
path "database/rotate-role/*" { capabilities = ["create", "update"] }
path "database/rotate-root/*" { capabilities = ["create", "update"] }

# vault-dynamic: the roles, a login that proves each, and revoking the older logins after a rotation.
path "database/roles/*" { capabilities = ["create", "read", "update"] }
path "database/creds/*" { capabilities = ["read"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/leases/lookup/database/creds/*" { capabilities = ["list", "sudo"] }
path "sys/leases/revoke" { capabilities = ["update"] }

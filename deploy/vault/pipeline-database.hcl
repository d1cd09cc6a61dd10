# Beside `pipeline`, only where a secret has strategy vault-static or vault-dynamic (docs/vault.md): describe the
# database secrets engine, have it rotate, and read what it hands out. It may not remove anything.
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/database" { capabilities = ["create", "read", "update"] }
path "sys/policies/acl/ENVIRONMENT-*" { capabilities = ["create", "read", "update"] }
path "database/config/*" { capabilities = ["create", "read", "update"] }
path "database/static-roles/*" { capabilities = ["create", "read", "update"] }
path "database/static-creds/*" { capabilities = ["read"] }
path "database/rotate-role/*" { capabilities = ["create", "update"] }
path "database/rotate-root/*" { capabilities = ["create", "update"] }

# vault-dynamic: the roles, a login that proves each, and the end of the logins from before a rotation.
path "database/roles/*" { capabilities = ["create", "read", "update"] }
path "database/creds/*" { capabilities = ["read"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/leases/lookup/database/creds/*" { capabilities = ["list", "sudo"] }
path "sys/leases/revoke" { capabilities = ["update"] }

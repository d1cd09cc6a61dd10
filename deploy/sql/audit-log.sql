-- The pipeline as a writer of secret_rotation_log: INSERT and SELECT. First make the log as its owner (an administrator,
-- or a role of its own; never the pipeline, which could then take the triggers off), and again after an upgrade:
--
--   PGUSER=postgres PGPASSFILE=... npx rotation audit migrate --stack prod
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -v database=trader -f deploy/sql/audit-log.sql trader
--
-- `rotation audit migrate` makes the role rotation_audit_writer with its grants (audit/privileges.sql). Rows older than
-- two years leave through `rotation audit prune`, which the owner runs.
GRANT rotation_audit_writer TO :"pipeline" WITH INHERIT TRUE, SET FALSE;
GRANT CONNECT ON DATABASE :"database" TO :"pipeline";

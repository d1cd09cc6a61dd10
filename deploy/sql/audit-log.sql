-- Lets the pipeline write secret_rotation_log: INSERT and SELECT. First create the log as its owner (an administrator, or
-- a role of its own; never the pipeline, which could then remove the triggers), and repeat this after an upgrade:
--
--   PGUSER=postgres PGPASSFILE=... npx rotation audit migrate --stack prod
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -v database=trader -f deploy/sql/audit-log.sql trader
--
-- `rotation audit migrate` creates the role rotation_audit_writer with its grants (audit/privileges.sql). The owner removes
-- rows older than two years with `rotation audit prune`.
SELECT set_config('secret_rotation.pipeline', :'pipeline', false);
DO $$
BEGIN
    -- Before PostgreSQL 16 a member always has the role's privileges, unless its login is NOINHERIT.
    EXECUTE format('GRANT rotation_audit_writer TO %I', current_setting('secret_rotation.pipeline'))
            || CASE WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT TRUE, SET FALSE' ELSE '' END;
END
$$;
GRANT CONNECT ON DATABASE :"database" TO :"pipeline";

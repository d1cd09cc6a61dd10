-- One role whose password the pipeline rotates, and its database. Run it once per secret, in any database, as a
-- superuser or as a managed server's administrator who has ADMIN on the role:
--
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -v role=trader -v database=trader -f deploy/sql/managed-role.sql postgres
--
-- ADMIN lets the pipeline change the role's password and login and make its two login roles members of it. Without
-- INHERIT and SET it can neither read nor write the role's data. Before PostgreSQL 16, CREATEROLE covers every role
-- that is no superuser, so nothing is granted. If a role has a setting that only a superuser may set (log_statement, or
-- one with a prefix such as app.tenant), the preflight names it; from PostgreSQL 15 on also run:
--
--   GRANT SET ON PARAMETER log_statement TO rotation;
SELECT set_config('secret_rotation.pipeline', :'pipeline', false), set_config('secret_rotation.role', :'role', false);
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE format('GRANT %I TO %I WITH ADMIN TRUE, INHERIT FALSE, SET FALSE',
                       current_setting('secret_rotation.role'), current_setting('secret_rotation.pipeline'));
    END IF;
END
$$;

-- Needed if PUBLIC may not connect (services.sql); harmless otherwise.
GRANT CONNECT ON DATABASE :"database" TO :"pipeline";

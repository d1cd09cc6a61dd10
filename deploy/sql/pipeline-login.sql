-- The pipeline's own login: it may manage roles, and nothing else. Run it once per server, as a superuser or
-- as the administrator of a managed server:
--
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -f deploy/sql/pipeline-login.sql postgres
--
-- Then set its password with \password, or require a client certificate in pg_hba.conf. From PostgreSQL 16 on,
-- CREATEROLE alone covers no existing role: run managed-role.sql for each one that the pipeline may change.
CREATE ROLE :"pipeline" LOGIN CREATEROLE;

-- Before it revokes a login, the pipeline checks who still uses it. Without this grant it sees that there is a session, but
-- neither its address nor its start.
GRANT pg_read_all_stats TO :"pipeline";

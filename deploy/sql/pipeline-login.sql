-- The pipeline's own login: it may manage roles, and nothing else. Once a server, as a superuser:
--
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -f deploy/sql/pipeline-login.sql postgres
--
-- Then give it a password with \password, or let pg_hba.conf ask for a client certificate. From PostgreSQL 16 on,
-- CREATEROLE alone reaches no role that exists: managed-role.sql names each one that the pipeline may change.
CREATE ROLE :"pipeline" LOGIN CREATEROLE;

-- Before a login is revoked the pipeline looks who still uses it. Without this it sees that there is a session, but neither
-- its address nor since when.
GRANT pg_read_all_stats TO :"pipeline";

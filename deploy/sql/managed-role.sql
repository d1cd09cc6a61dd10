-- One role whose password the pipeline rotates, and its database. Once a secret, as a superuser, in any database:
--
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -v role=trader -v database=trader -f deploy/sql/managed-role.sql postgres
--
-- ADMIN lets the pipeline change the role's password and login and make its two login roles members of it. Without
-- INHERIT and SET it can neither read nor write the role's data. For PostgreSQL 15 and older, where CREATEROLE reaches
-- every role without superuser rights: leave the GRANT of the role out.
GRANT :"role" TO :"pipeline" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

-- Needed where PUBLIC may not connect (services.sql); harmless elsewhere.
GRANT CONNECT ON DATABASE :"database" TO :"pipeline";

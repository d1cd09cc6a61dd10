-- What the services may do: read and write rows of one database. The role that they act as (the config key `role`) owns
-- nothing here; the tables belong to another role without login. Run it once per database, in that database, as a superuser:
--
--   psql -v ON_ERROR_STOP=1 -v role=trader -v owner=trader_owner -v database=trader -f deploy/sql/services.sql trader
--
-- With alternating users, trader_a and trader_b are members of the role and inherit these privileges. This file is optional:
-- a role that owns its tables, as in the runbook, can be rotated too.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"role";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"role";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE ON SEQUENCES TO :"role";

-- Lets the pipeline see logins that begin and end between two looks of `rotation watch`, where the server's log cannot be read.
-- Optional; PostgreSQL 17 or newer. Run it as a superuser, in each database whose password the pipeline rotates:
--
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -f deploy/sql/login-trigger.sql trader
--
-- A login trigger runs in every login to this database. Whatever goes wrong in it is ignored, so that no login fails for it: a
-- full disk, a locked table, a standby, a session that is read-only. Such a login is not noted. If it ever must go at once:
-- `ALTER EVENT TRIGGER rotation_login_events DISABLE`; a server with `event_triggers = off` ignores it.
CREATE SCHEMA IF NOT EXISTS rotation_login_events;

CREATE TABLE IF NOT EXISTS rotation_login_events.noted (
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    role        name        NOT NULL,
    application text        NOT NULL,
    client      text        NOT NULL
);
CREATE INDEX IF NOT EXISTS noted_role_at ON rotation_login_events.noted (role, at);

-- One row a minute for each role, application and address: no login waits for the row of another.
CREATE OR REPLACE FUNCTION rotation_login_events.note() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms'
    AS $$
DECLARE
    app text := coalesce(current_setting('application_name', true), '');
    address text := coalesce(host(inet_client_addr()), 'a local socket');
BEGIN
    IF pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean THEN
        RETURN;
    END IF;
    INSERT INTO rotation_login_events.noted (role, application, client)
    SELECT session_user, app, address
    WHERE NOT EXISTS (
        SELECT FROM rotation_login_events.noted
        WHERE role = session_user AND application = app AND client = address AND at > clock_timestamp() - interval '1 minute'
    );
EXCEPTION
    WHEN query_canceled OR OTHERS THEN
        RETURN;
END
$$;

-- What a role did in the last `seconds`. What is older than 30 days goes.
CREATE OR REPLACE FUNCTION rotation_login_events.logins(of_role name, seconds float8)
    RETURNS TABLE (application text, client text, at timestamptz)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    DELETE FROM rotation_login_events.noted AS old WHERE old.at < clock_timestamp() - interval '30 days';
    RETURN QUERY SELECT found.application, found.client, min(found.at) FROM rotation_login_events.noted AS found
        WHERE found.role = of_role AND found.at > clock_timestamp() - make_interval(secs => seconds)
        GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 200;
END
$$;

DROP EVENT TRIGGER IF EXISTS rotation_login_events;
CREATE EVENT TRIGGER rotation_login_events ON login EXECUTE FUNCTION rotation_login_events.note();
ALTER EVENT TRIGGER rotation_login_events ENABLE ALWAYS;

REVOKE ALL ON FUNCTION rotation_login_events.logins(name, float8) FROM PUBLIC;
GRANT USAGE ON SCHEMA rotation_login_events TO :"pipeline";
GRANT EXECUTE ON FUNCTION rotation_login_events.logins(name, float8) TO :"pipeline";

-- What a writer of the log may do: INSERT and SELECT, marking a delivery of an event, and adding a look to a watch; nothing else. Run again at every migration; GRANT the role to
-- the login that the pipeline uses: GRANT rotation_audit_writer TO <login>.
DO $privileges$
BEGIN
    IF to_regrole('rotation_audit_writer') IS NULL
       AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
        BEGIN
            CREATE ROLE rotation_audit_writer NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of this server was migrated at the same moment.
        END;
    END IF;
    IF to_regrole('rotation_audit_writer') IS NULL THEN
        RETURN;
    END IF;
    IF NOT has_schema_privilege('rotation_audit_writer', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO rotation_audit_writer', current_schema());
    END IF;
    GRANT SELECT, INSERT ON secret_rotation_log TO rotation_audit_writer;
    GRANT SELECT, INSERT ON secret_rotation_reminders, secret_rotation_fingerprints TO rotation_audit_writer;
    GRANT SELECT, INSERT ON secret_rotation_events, secret_rotation_deliveries TO rotation_audit_writer;
    GRANT UPDATE (delivered_at, attempts, attempted_at, error) ON secret_rotation_deliveries TO rotation_audit_writer;
    GRANT SELECT, INSERT ON secret_rotation_login_watch TO rotation_audit_writer;
    GRANT UPDATE (watched_to, unbroken_since, samples, gaps, last_use, users, log_read_to) ON secret_rotation_login_watch
        TO rotation_audit_writer;
    GRANT SELECT ON secret_rotation_log_head, secret_rotation_log_migrations TO rotation_audit_writer;
    -- An identity needs no grant, the serial of a table made by hand does.
    IF pg_get_serial_sequence('secret_rotation_log', 'id') IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO rotation_audit_writer',
                       pg_get_serial_sequence('secret_rotation_log', 'id'));
    END IF;
END
$privileges$;

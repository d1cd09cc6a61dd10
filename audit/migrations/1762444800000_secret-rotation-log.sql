-- Up Migration
-- There is no way down: an audit log that a migration can undo is not one.
--
-- The table may exist already, with the runbook's four columns and rows written by hand. Those columns and rows stay
-- as they are; what is missing is added and the old rows become the beginning of the chain, in the order of their date.

-- The functions below keep this path: they run with their owner's rights, so a caller's schemas must not come first.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE IF NOT EXISTS secret_rotation_log (
    secret_name   text,
    rotated_by    text,
    rotation_date timestamptz,
    status        text
);

DO $columns$
DECLARE
    wanted record;
    found  regtype;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('id',               'bigint',      ''),
            ('secret_name',      'text',        NULL),
            ('rotated_by',       'text',        NULL),
            ('rotation_date',    'timestamptz', NULL),
            ('status',           'text',        NULL),
            ('stack',            'text',        ''),
            ('environment',      'text',        ''),
            ('action',           'text',        'DEFAULT ''MANUAL'''),
            ('generation',       'integer',     ''),
            ('reason',           'text',        ''),
            ('outputs',          'jsonb',       ''),
            ('duration_seconds', 'numeric',     ''),
            ('step_key',         'text',        ''),
            ('previous_hash',    'text',        ''),
            ('hash',             'text',        ''),
            ('recorded_at',      'timestamptz', '')
        ) AS list (name, type, definition)
    LOOP
        SELECT atttypid::regtype INTO found FROM pg_attribute
        WHERE attrelid = 'secret_rotation_log'::regclass AND attname = wanted.name AND NOT attisdropped;
        IF found IS NULL AND wanted.definition IS NOT NULL THEN
            EXECUTE format('ALTER TABLE secret_rotation_log ADD COLUMN %I %s %s',
                           wanted.name, wanted.type, wanted.definition);
        ELSIF found = wanted.type::regtype THEN
            NULL;
        ELSIF wanted.type = 'text' AND found IN ('varchar'::regtype, 'bpchar'::regtype) THEN
            NULL;
        ELSIF wanted.name = 'id' AND found IN ('integer'::regtype, 'smallint'::regtype) THEN
            ALTER TABLE secret_rotation_log ALTER COLUMN id TYPE bigint;
        ELSIF wanted.name = 'rotation_date' AND found IN ('timestamp'::regtype, 'date'::regtype) THEN
            -- The runbook writes UTC (`date -u`), so the instants stay the same.
            ALTER TABLE secret_rotation_log
                ALTER COLUMN rotation_date TYPE timestamptz USING rotation_date::timestamp AT TIME ZONE 'UTC';
        ELSE
            RAISE EXCEPTION 'secret_rotation_log.% should be of type %, found %',
                wanted.name, wanted.type, coalesce(found::text, 'no such column')
                USING HINT = 'Rename or convert that column (ALTER TABLE secret_rotation_log ...), then run the migration again.';
        END IF;
    END LOOP;
END
$columns$;

-- Where the chain ends, so that the loss of its newest rows is noticed, and so that writers queue up for it.
CREATE TABLE secret_rotation_log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       bigint NOT NULL,
    hash     text   NOT NULL,
    rows     bigint NOT NULL
);

-- One value of the canonical text: its length in UTF-8 bytes, a colon, the value, a comma; NULL is a dash.
CREATE FUNCTION secret_rotation_log_field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN value IS NULL THEN '-,'
                 ELSE octet_length(convert_to(value, 'UTF8')) || ':' || value || ',' END $$;

-- Instants are UTC with microseconds, whatever the session's time zone.
CREATE FUNCTION secret_rotation_log_instant(value timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- SHA-256 over every column but the hash itself. audit/canonical.ts computes the same from the row's text.
CREATE FUNCTION secret_rotation_log_hash(entry secret_rotation_log) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
    AS $$
BEGIN
    RETURN encode(sha256(convert_to(
        secret_rotation_log_field('secret_rotation_log/1')
        || secret_rotation_log_field(entry.previous_hash)
        || secret_rotation_log_field(entry.id::text)
        || secret_rotation_log_field(entry.secret_name)
        || secret_rotation_log_field(entry.rotated_by)
        || secret_rotation_log_field(secret_rotation_log_instant(entry.rotation_date))
        || secret_rotation_log_field(entry.status)
        || secret_rotation_log_field(entry.stack)
        || secret_rotation_log_field(entry.environment)
        || secret_rotation_log_field(entry.action)
        || secret_rotation_log_field(entry.generation::text)
        || secret_rotation_log_field(entry.reason)
        || secret_rotation_log_field(entry.outputs::text)
        || secret_rotation_log_field(entry.duration_seconds::text)
        || secret_rotation_log_field(entry.step_key)
        || secret_rotation_log_field(secret_rotation_log_instant(entry.recorded_at)),
        'UTF8')), 'hex');
END
$$;

DO $adopt$
DECLARE
    entry    secret_rotation_log;
    previous text := repeat('0', 64);
    last_id  bigint := 0;
    adopted  bigint := 0;
BEGIN
    UPDATE secret_rotation_log AS log SET id = numbered.position
    FROM (SELECT ctid AS place, row_number() OVER (ORDER BY rotation_date, ctid) AS position
          FROM secret_rotation_log WHERE id IS NULL) AS numbered
    WHERE log.ctid = numbered.place AND log.id IS NULL;
    FOR entry IN SELECT * FROM secret_rotation_log ORDER BY id LOOP
        entry.previous_hash := previous;
        previous := secret_rotation_log_hash(entry);
        UPDATE secret_rotation_log SET previous_hash = entry.previous_hash, hash = previous WHERE id = entry.id;
        last_id := entry.id;
        adopted := adopted + 1;
    END LOOP;
    INSERT INTO secret_rotation_log_head (id, hash, rows) VALUES (last_id, previous, adopted);

    ALTER TABLE secret_rotation_log
        ALTER COLUMN id SET NOT NULL, ALTER COLUMN previous_hash SET NOT NULL, ALTER COLUMN hash SET NOT NULL;
    IF pg_get_serial_sequence('secret_rotation_log', 'id') IS NULL AND NOT EXISTS (
        SELECT FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE adrelid = 'secret_rotation_log'::regclass AND attname = 'id')
    THEN
        EXECUTE format('ALTER TABLE secret_rotation_log ALTER COLUMN id
                        ADD GENERATED BY DEFAULT AS IDENTITY (START WITH %s)', last_id + 1);
    END IF;
    IF EXISTS (SELECT FROM pg_index WHERE indrelid = 'secret_rotation_log'::regclass AND indisprimary) THEN
        CREATE UNIQUE INDEX secret_rotation_log_id ON secret_rotation_log (id);
    ELSE
        ALTER TABLE secret_rotation_log ADD PRIMARY KEY (id);
    END IF;
END
$adopt$;

-- NOT VALID: rows from before are kept, whatever they hold.
ALTER TABLE secret_rotation_log
    ADD CONSTRAINT secret_rotation_log_complete CHECK (
        secret_name <> '' AND secret_name IS NOT NULL AND rotated_by <> '' AND rotated_by IS NOT NULL
        AND isfinite(rotation_date) AND rotation_date IS NOT NULL AND action IS NOT NULL) NOT VALID,
    ADD CONSTRAINT secret_rotation_log_status CHECK (
        status IN ('SUCCESS', 'FAILED', 'ROLLED_BACK') AND status IS NOT NULL) NOT VALID,
    ADD CONSTRAINT secret_rotation_log_generation CHECK (generation >= 0) NOT VALID,
    ADD CONSTRAINT secret_rotation_log_duration CHECK (duration_seconds >= 0) NOT VALID;

CREATE UNIQUE INDEX secret_rotation_log_step_key ON secret_rotation_log (step_key);
CREATE INDEX secret_rotation_log_by_date ON secret_rotation_log (rotation_date);
CREATE INDEX secret_rotation_log_by_secret ON secret_rotation_log (secret_name, id DESC);

-- Every insert is chained here, one made by hand in psql included; what the writer says of id and hashes is ignored.
CREATE FUNCTION secret_rotation_log_chain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
DECLARE
    head secret_rotation_log_head;
    tail record;
BEGIN
    -- Writers wait here for each other, so the chain cannot fork; under REPEATABLE READ the later one is refused.
    SELECT * INTO head FROM secret_rotation_log_head FOR UPDATE;
    SELECT id, hash INTO tail FROM secret_rotation_log ORDER BY id DESC LIMIT 1;
    -- A head beyond the last row means that rows were taken away: go on from the head, so that the gap stays.
    IF tail.id IS NULL OR head.id > tail.id THEN
        NEW.id := coalesce(head.id, 0) + 1;
        NEW.previous_hash := coalesce(head.hash, repeat('0', 64));
    ELSE
        NEW.id := tail.id + 1;
        NEW.previous_hash := tail.hash;
    END IF;
    NEW.recorded_at := clock_timestamp();
    NEW.hash := secret_rotation_log_hash(NEW);
    RETURN NEW;
END
$$;

CREATE TRIGGER secret_rotation_log_chain BEFORE INSERT ON secret_rotation_log
    FOR EACH ROW EXECUTE FUNCTION secret_rotation_log_chain();

CREATE FUNCTION secret_rotation_log_advance() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
BEGIN
    UPDATE secret_rotation_log_head AS head
    SET id = newest.id, hash = newest.hash, rows = head.rows + (SELECT count(*) FROM inserted)
    FROM (SELECT id, hash FROM inserted ORDER BY id DESC LIMIT 1) AS newest;
    RETURN NULL;
END
$$;

CREATE TRIGGER secret_rotation_log_advance AFTER INSERT ON secret_rotation_log
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION secret_rotation_log_advance();

CREATE FUNCTION secret_rotation_log_guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'secret_rotation_log is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Append a row that corrects it. Rows older than two years leave through prune_secret_rotation_log(before, by).';
END
$$;

CREATE TRIGGER secret_rotation_log_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON secret_rotation_log
    FOR EACH STATEMENT EXECUTE FUNCTION secret_rotation_log_guard();

-- A PRUNE row accounts for rows that are gone, so a writer must not be able to make one up. No SECURITY DEFINER:
-- current_user has to be whoever inserts.
CREATE FUNCTION secret_rotation_log_guard_prune() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION 'a PRUNE row is written by prune_secret_rotation_log(before, by) alone'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER secret_rotation_log_guard_prune BEFORE INSERT ON secret_rotation_log
    FOR EACH ROW WHEN (NEW.action = 'PRUNE') EXECUTE FUNCTION secret_rotation_log_guard_prune();

-- Removes the oldest rows up to, and without, the first one of `before` or later, and logs that. Returns their number.
CREATE FUNCTION prune_secret_rotation_log(before timestamptz, by text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
DECLARE
    last_removed record;
    removed      bigint;
BEGIN
    IF before IS NULL OR before > now() - interval '2 years' THEN
        RAISE EXCEPTION 'rows of the last two years are kept: expected a date up to %, found %',
            secret_rotation_log_instant(now() - interval '2 years'), coalesce(secret_rotation_log_instant(before), 'NULL')
            USING ERRCODE = 'check_violation';
    END IF;
    -- Before the head's row lock, in the order in which an insert takes the two, or both would wait for each other.
    LOCK TABLE secret_rotation_log IN SHARE ROW EXCLUSIVE MODE;
    SELECT id, hash INTO last_removed FROM secret_rotation_log
    WHERE id < coalesce((SELECT min(id) FROM secret_rotation_log WHERE rotation_date >= before), 9223372036854775807)
    ORDER BY id DESC LIMIT 1;
    IF last_removed.id IS NULL THEN
        RETURN 0;
    END IF;
    SELECT count(*) INTO removed FROM secret_rotation_log WHERE id <= last_removed.id;
    INSERT INTO secret_rotation_log (secret_name, rotated_by, rotation_date, status, action, reason, outputs)
    VALUES ('secret_rotation_log', by, now(), 'SUCCESS', 'PRUNE', 'retention of two years is over',
            jsonb_build_object('removed', removed, 'before', secret_rotation_log_instant(before),
                               'throughId', last_removed.id, 'throughHash', last_removed.hash));
    ALTER TABLE secret_rotation_log DISABLE TRIGGER secret_rotation_log_guard;
    DELETE FROM secret_rotation_log WHERE id <= last_removed.id;
    ALTER TABLE secret_rotation_log ENABLE TRIGGER secret_rotation_log_guard;
    UPDATE secret_rotation_log_head SET rows = rows - removed;
    RETURN removed;
END
$$;

REVOKE ALL ON FUNCTION prune_secret_rotation_log(timestamptz, text) FROM PUBLIC;

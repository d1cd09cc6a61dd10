-- Lets the pipeline see every login in the server's log, the short ones between two looks of `rotation watch` too. Optional.
-- Run it once per server as a superuser, in each database whose password the pipeline rotates:
--
--   psql -v ON_ERROR_STOP=1 -v pipeline=rotation -f deploy/sql/login-log.sql trader
--
-- It needs `logging_collector = on` and `log_connections = on`. The function returns the lines of successful logins alone, of the
-- log that the server writes now: never a statement, and no other file. Its owner is a superuser, so only the pipeline may call it.
CREATE SCHEMA IF NOT EXISTS rotation_login_log;

-- The lines since `after_size` in `after_file`, and a row without a line for each file with the place up to which it was read.
-- A line that is not finished yet is left for the next call. NULL for `after_file`: begins at the end of the file of now.
CREATE OR REPLACE FUNCTION rotation_login_log.logins(after_file text, after_size bigint)
    RETURNS TABLE (file text, size bigint, line text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    current_file text := pg_current_logfile();
    folder       text := regexp_replace(current_file, '[^/]*$', '');
    ending       text := substring(current_file FROM '\.[a-z]+$');
    most         bigint := 67108864;
    begins       bigint;
    content      text;
    last_end     bigint;
    one          record;
BEGIN
    IF current_file IS NULL THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT log.name, log.size FROM pg_ls_logdir() AS log
        WHERE coalesce(right(log.name, length(ending)) = ending, true)
          AND (folder || log.name = current_file
               OR log.modification >= (SELECT since.modification FROM pg_ls_logdir() AS since WHERE since.name = after_file))
        ORDER BY folder || log.name = current_file, log.modification, log.name
    LOOP
        begins := CASE WHEN one.name = after_file THEN after_size WHEN after_file IS NULL THEN greatest(one.size - 65536, 0) ELSE 0 END;
        IF begins > one.size OR one.size - begins > most THEN
            RETURN; -- Cut, or too much to read: no row says up to where it was read.
        END IF;
        -- LATIN1: a character for each byte, whatever the log holds.
        content := convert_from(pg_read_binary_file(folder || one.name, begins, one.size - begins), 'LATIN1');
        last_end := length(content) - strpos(reverse(content), E'\n') + 1;
        IF strpos(content, E'\n') = 0 THEN
            last_end := 0;
        END IF;
        most := most - length(content);
        RETURN QUERY SELECT one.name, begins + last_end, found.text
            FROM regexp_split_to_table(left(content, last_end::int), E'\n') AS found (text)
            WHERE found.text LIKE '%connection authorized: user=%' AND after_file IS NOT NULL
               OR found.text LIKE '%connection authorized: user=' || session_user || ' %';
        RETURN QUERY SELECT one.name, begins + last_end, NULL::text;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION rotation_login_log.logins(text, bigint) FROM PUBLIC;
GRANT USAGE ON SCHEMA rotation_login_log TO :"pipeline";
GRANT EXECUTE ON FUNCTION rotation_login_log.logins(text, bigint) TO :"pipeline";

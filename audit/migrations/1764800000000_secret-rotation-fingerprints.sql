-- Up Migration
-- What a leaked value is compared with: an HMAC of every credential there ever was, whose key is a secret of the stack's
-- config. A value cannot be computed back from it.

CREATE TABLE secret_rotation_fingerprints (
    stack       text        NOT NULL,
    environment text        NOT NULL,
    secret_name text        NOT NULL,
    generation  integer     NOT NULL,
    part        text        NOT NULL,
    -- The login of a password; NULL for what has none.
    username    text,
    fingerprint text        NOT NULL,
    -- In UTF-16 units: a value is found inside of a longer text by its length.
    length      integer     NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stack, environment, secret_name, generation, part, fingerprint)
);

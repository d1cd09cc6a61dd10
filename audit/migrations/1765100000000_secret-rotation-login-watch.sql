-- Up Migration
-- Who was seen with a previous login since the rotation: a row for each, which each look updates. Its size is bounded, and it
-- holds no secret.

CREATE TABLE secret_rotation_login_watch (
    environment    text        NOT NULL,
    secret_name    text        NOT NULL,
    generation     integer     NOT NULL,
    login          text        NOT NULL,
    watched_from   timestamptz NOT NULL,
    watched_to     timestamptz NOT NULL,
    -- Since when there is no gap between two looks.
    unbroken_since timestamptz NOT NULL,
    samples        bigint      NOT NULL,
    gaps           bigint      NOT NULL,
    last_use       timestamptz,
    -- [{ user, firstSeen, lastSeen }], those that were seen last.
    users          jsonb       NOT NULL,
    -- Up to where the server's log was read: { file, size }; NULL if it is not read.
    log_read_to    jsonb,
    PRIMARY KEY (environment, secret_name, generation)
);

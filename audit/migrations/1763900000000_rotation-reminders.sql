-- Up Migration
-- What people were told, so that they are told once: `rotation remind` writes it, a preflight reads it.

CREATE TABLE secret_rotation_reminders (
    stack       text        NOT NULL,
    environment text        NOT NULL,
    secret_name text        NOT NULL,
    generation  integer     NOT NULL,
    kind        text        NOT NULL,
    channel     text        NOT NULL,
    sent_at     timestamptz NOT NULL,
    PRIMARY KEY (stack, environment, secret_name, generation, kind, channel)
);

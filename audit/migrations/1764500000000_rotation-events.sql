-- Up Migration
-- The outbox of events: an update or a timer writes them, in the transaction of the audit row if there is one; the command
-- line delivers them. An event is never changed; a delivery has a row for each receiver.

CREATE TABLE secret_rotation_events (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid        NOT NULL UNIQUE,
    type        text        NOT NULL,
    stack       text        NOT NULL,
    environment text        NOT NULL,
    secret_name text        NOT NULL,
    time        timestamptz NOT NULL,
    data        jsonb       NOT NULL,
    -- What a timer's event is about, so that it is written once; NULL for an update's.
    occasion    text        UNIQUE,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE secret_rotation_deliveries (
    event        bigint      NOT NULL REFERENCES secret_rotation_events ON DELETE CASCADE,
    target       text        NOT NULL,
    delivered_at timestamptz,
    attempts     integer     NOT NULL DEFAULT 0,
    attempted_at timestamptz,
    error        text,
    PRIMARY KEY (event, target)
);

CREATE INDEX secret_rotation_deliveries_open ON secret_rotation_deliveries (target, event) WHERE delivered_at IS NULL;
CREATE INDEX secret_rotation_events_by_secret ON secret_rotation_events (stack, secret_name, id DESC);

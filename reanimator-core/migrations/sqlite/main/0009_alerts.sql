-- Alert rules, and what was raised by them.

CREATE TABLE alert_rules (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE alerts (
    -- Ids rise with the time.
    id TEXT PRIMARY KEY NOT NULL,
    rule TEXT NOT NULL,
    entity TEXT NOT NULL,
    -- `active`, `acknowledged`, `resolved`.
    state TEXT NOT NULL,
    resolved_at INTEGER,
    data TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX alerts_open ON alerts (id) WHERE state <> 'resolved';
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE state = 'resolved';
CREATE INDEX alerts_by_entity ON alerts (entity, id);

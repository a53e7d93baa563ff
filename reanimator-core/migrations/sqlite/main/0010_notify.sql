-- Whom notices go to, notices on their way, and how far what is looked at has been told.

CREATE TABLE notify_targets (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

-- Handed over, and not yet given to targets.
CREATE TABLE notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    data TEXT NOT NULL
);

-- A notice for one target: on its way, or what became of it.
CREATE TABLE notify_outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    -- `waiting`, `sent`, `failed` or `dropped`.
    state TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX notify_outbox_waiting ON notify_outbox (target, number) WHERE state = 'waiting';
CREATE INDEX notify_outbox_target ON notify_outbox (target, number);

-- Up to where something was told, by what it is.
CREATE TABLE notify_cursors (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

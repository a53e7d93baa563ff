-- Updates of many machines: what was asked for, how far each machine got, when they recur, and who stands in for whom.

CREATE TABLE updates (
    id TEXT PRIMARY KEY NOT NULL,
    -- 1 until it is over.
    open INTEGER NOT NULL,
    owner TEXT,
    owned_until INTEGER,
    -- Grows with each owner; writes with an older number are refused.
    generation INTEGER NOT NULL,
    cancel INTEGER NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX updates_open ON updates (id) WHERE open = 1;

CREATE TABLE update_targets (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (update_id, number)
) WITHOUT ROWID;

CREATE TABLE update_schedules (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE redundant_sets (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

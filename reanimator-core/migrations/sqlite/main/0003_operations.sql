-- Operations: what was asked for, the journal of each step, what was said, and what they act upon.

CREATE TABLE operations (
    id TEXT PRIMARY KEY NOT NULL,
    -- 1 until it is over.
    open INTEGER NOT NULL,
    owner TEXT,
    owned_until INTEGER,
    -- Grows with each owner; writes with an older number are refused.
    generation INTEGER NOT NULL,
    cancel INTEGER NOT NULL,
    undo INTEGER NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX operations_open ON operations (id) WHERE open = 1;

CREATE TABLE operation_steps (
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (operation, number)
) WITHOUT ROWID;

CREATE TABLE operation_lines (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    step INTEGER,
    text TEXT NOT NULL
);
CREATE INDEX operation_lines_by_operation ON operation_lines (operation, number);

-- What an operation that is not over acts upon: one operation per thing.
CREATE TABLE operation_things (
    thing TEXT PRIMARY KEY NOT NULL,
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE
);
CREATE INDEX operation_things_by_operation ON operation_things (operation);

-- What is done at once: a slot is held by a step from its check to its end, a gate by a step that decides.

CREATE TABLE operation_slots (
    name TEXT NOT NULL,
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    PRIMARY KEY (name, operation, step)
) WITHOUT ROWID;

CREATE TABLE operation_gates (
    name TEXT PRIMARY KEY NOT NULL,
    operation TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    -- It opens by itself then, should its holder have died.
    until INTEGER NOT NULL
) WITHOUT ROWID;

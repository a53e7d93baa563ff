-- Commands run on many hosts: each run, what every host answered, and commands that are kept to be run again.

CREATE TABLE command_runs (
    -- In the order of creation.
    id TEXT PRIMARY KEY NOT NULL,
    requested_at INTEGER NOT NULL,
    -- 1 until it is over.
    open INTEGER NOT NULL,
    -- 1 once somebody wishes it to be stopped.
    stop INTEGER NOT NULL,
    -- Which process carries it out, and until when that is believed unless it says so again.
    owner TEXT NOT NULL,
    owned_until INTEGER NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX command_runs_open ON command_runs (id) WHERE open = 1;

CREATE TABLE command_answers (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES command_runs (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    data TEXT NOT NULL,
    -- Both streams, packed.
    output BLOB NOT NULL,
    UNIQUE (run, host)
);

CREATE TABLE saved_commands (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;

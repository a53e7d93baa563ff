-- Prepared scripts, as admins have defined them.

CREATE TABLE scripts (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;

-- Figures of hosts: the last ones whole, and their history.

CREATE TABLE latest (
    host_id TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    host_id TEXT NOT NULL UNIQUE
);

-- Ordered by minute first: a tick of the whole fleet is written to neighbouring pages and old minutes are deleted as
-- a block, while one host's day is still found by 1,440 short searches.
CREATE TABLE samples (
    minute INTEGER NOT NULL,
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    figures BLOB NOT NULL,
    PRIMARY KEY (minute, series, at)
) WITHOUT ROWID;

-- Over 5 minutes beginning at `at`: all averages, then all minima, then all maxima.
CREATE TABLE averages (
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    figures BLOB NOT NULL,
    PRIMARY KEY (series, at)
) WITHOUT ROWID;

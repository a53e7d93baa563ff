-- Hosts, how to reach them, what was last seen of them, and who may look.
-- Times are milliseconds since 1970 (UTC). `data` is the noun as JSON; other columns repeat what is searched for.

CREATE TABLE connections (
    id TEXT PRIMARY KEY NOT NULL,
    -- Set only where people choose the name (clusters).
    unique_name TEXT UNIQUE,
    data TEXT NOT NULL
);

CREATE TABLE hosts (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    data TEXT NOT NULL
);

CREATE TABLE host_links (
    host_id TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    connection_id TEXT NOT NULL REFERENCES connections (id),
    PRIMARY KEY (host_id, place)
) WITHOUT ROWID;
CREATE INDEX host_links_by_connection ON host_links (connection_id);

CREATE TABLE secrets (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (owner, name)
) WITHOUT ROWID;

CREATE TABLE views (
    host_id TEXT PRIMARY KEY NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    data TEXT NOT NULL
);

CREATE TABLE identities (
    host_id TEXT PRIMARY KEY NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    data TEXT NOT NULL
);

CREATE TABLE clusters (
    connection_id TEXT PRIMARY KEY NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    state TEXT NOT NULL
);

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_by_time ON events (at);

CREATE TABLE matches (
    id TEXT PRIMARY KEY NOT NULL,
    host_id TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
    other TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (host_id, other)
);

CREATE TABLE users (
    name TEXT PRIMARY KEY NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY NOT NULL,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user);

CREATE TABLE tokens (
    name TEXT PRIMARY KEY NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
);

-- At most one row.
CREATE TABLE setup_token (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    source TEXT NOT NULL,
    what TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail cannot be changed'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail cannot be changed'); END;

CREATE TABLE settings (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

-- At most one row.
CREATE TABLE server_lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    holder_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);

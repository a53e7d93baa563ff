-- Facts that are collected slowly, and what changed in them.

CREATE TABLE facts (
    entity TEXT NOT NULL,
    section TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (entity, section)
);
CREATE INDEX facts_by_section ON facts (section);

CREATE TRIGGER facts_go_with_their_host AFTER DELETE ON hosts
BEGIN DELETE FROM facts WHERE entity = 'host:' || old.id; END;

-- The ids of guests and storages begin with that of their connection and ':', which ';' follows.
CREATE TRIGGER facts_go_with_their_cluster AFTER DELETE ON connections
BEGIN
    DELETE FROM facts WHERE entity >= 'guest:' || old.id || ':' AND entity < 'guest:' || old.id || ';';
    DELETE FROM facts WHERE entity >= 'storage:' || old.id || ':' AND entity < 'storage:' || old.id || ';';
END;

CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    field TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    created_at INTEGER NOT NULL
);
CREATE INDEX changes_by_entity ON changes (entity, id);
CREATE INDEX changes_by_time ON changes (created_at);

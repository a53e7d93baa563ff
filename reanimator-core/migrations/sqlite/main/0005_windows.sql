-- Maintenance windows, and what somebody has protected by hand.

CREATE TABLE windows (
    name TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE protections (
    -- `guest:ID` or `host:ID`.
    thing TEXT PRIMARY KEY NOT NULL,
    data TEXT NOT NULL
);

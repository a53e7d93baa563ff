-- Every host, guest and storage has a history; what is over is packed and thinned in tiers.

ALTER TABLE series RENAME COLUMN host_id TO entity;
UPDATE series SET entity = 'host:' || entity;

-- The first chunk of a coarse tier that is to be made, by when it begins; none while nothing is to be done.
ALTER TABLE series ADD COLUMN quarters_due INTEGER;
ALTER TABLE series ADD COLUMN six_hours_due INTEGER;

-- Points of one series over one span, packed. Tiers: 0 samples, 1 minutes, 2 quarters of an hour, 3 six hours.
CREATE TABLE chunks (
    series INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    begin INTEGER NOT NULL,
    points BLOB NOT NULL
);
CREATE UNIQUE INDEX chunks_by_series ON chunks (series, tier, begin);

-- Averages over 5 minutes that an earlier version made of samples that are still there say nothing more than those.
-- The others stay readable where they are, and upkeep turns them into minutes.
DELETE FROM averages WHERE at >= (SELECT MIN(minute) * 60000 FROM samples);
DELETE FROM meta WHERE key = 'averaged_until';

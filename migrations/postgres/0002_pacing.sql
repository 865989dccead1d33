-- How fast letters may go, kept here so that a restart and a second worker go on where the others are. Never edited after it
-- has landed: a change is a new file, here and under the same name in ../sqlite.

-- One row for all letters ('*'), and one for each recipient domain that has a limit or was slowed down.
CREATE TABLE pace (
    key       TEXT   NOT NULL PRIMARY KEY,
    -- When the next letter would go if all went evenly; NANOseconds since 1970, so that 3000/s does not round.
    tat       BIGINT NOT NULL,
    -- The first slot that no waiting letter has been given; nanoseconds since 1970.
    booked    BIGINT NOT NULL,
    -- The share of the full rate in millionths, as of slowed_at (milliseconds); it grows back with time.
    factor    BIGINT NOT NULL CHECK (factor BETWEEN 1 AND 1000000),
    slowed_at BIGINT NOT NULL
);

-- The days (since 1970, UTC) on which letters went out during a warm-up, and how many.
CREATE TABLE warmup_day (
    day     BIGINT NOT NULL PRIMARY KEY,
    letters BIGINT NOT NULL CHECK (letters >= 0)
);

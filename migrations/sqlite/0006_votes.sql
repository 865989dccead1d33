-- Readers' votes. Never edited after it has landed: a change is a new file, here and under the same name in ../postgres.

-- One vote per reader and tool, as long as the reader is one. Who leaves takes the row along; the totals stay.
CREATE TABLE vote (
    subscriber BIGINT NOT NULL,
    -- The tool's slug.
    tool       TEXT   NOT NULL,
    stance     TEXT   NOT NULL CHECK (stance IN ('ship', 'skip')),
    voted_at   BIGINT NOT NULL,
    PRIMARY KEY (subscriber, tool)
) WITHOUT ROWID;

-- What all votes on a tool come to, those of readers who have left included. Nobody's name is in it.
CREATE TABLE vote_total (
    tool       TEXT   NOT NULL PRIMARY KEY,
    ship       BIGINT NOT NULL CHECK (ship >= 0),
    skip       BIGINT NOT NULL CHECK (skip >= 0),
    changed_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Until when the votes of a reader who left were counted without a name. Should they come back, they vote on what is
-- newer, so that nobody votes twice by leaving in between. Holds no vote.
CREATE TABLE vote_fence (
    subscriber BIGINT NOT NULL PRIMARY KEY,
    until      BIGINT NOT NULL
) WITHOUT ROWID;

-- What the public pages ask every second: has any comparison changed?
CREATE INDEX comparison_by_update ON comparison (updated_at);

-- Counters in the place of old deliveries, and the ledger's generation. Never edited after it has landed: a change is
-- a new file, here and under the same name in ../postgres.

-- What was condensed of an issue. The rows that are still in `delivery` come on top, so that the sum is always the same.
CREATE TABLE condensed (
    issue      BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('sent', 'cancelled')),
    deliveries BIGINT NOT NULL CHECK (deliveries >= 0),
    -- Of these, how many had an attempt whose outcome could not be known.
    unknowns   BIGINT NOT NULL CHECK (unknowns >= 0),
    PRIMARY KEY (issue, state)
) WITHOUT ROWID;

-- Which database this is, and how far it has come: a file outside remembers both, so that an old copy is recognised.
CREATE TABLE ledger_mark (
    one        BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    id         TEXT   NOT NULL,
    generation BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO ledger_mark (one, id, generation) VALUES (1, lower(hex(randomblob(16))), 0);

-- The ledger. Times are milliseconds since 1970 (BIGINT); there are no booleans. Never edited after it has landed:
-- a change is a new file, here and under the same name in ../sqlite.

CREATE TABLE subscriber (
    -- An identity: an id stands in link tokens, so it is never used again after an erasure.
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email        TEXT   NOT NULL UNIQUE,
    name         TEXT,
    status       TEXT   NOT NULL,
    timezone     TEXT,
    source       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    activated_at BIGINT,
    ended_at     BIGINT,
    CONSTRAINT subscriber_status_times CHECK (CASE status
        WHEN 'pending' THEN activated_at IS NULL AND ended_at IS NULL
        WHEN 'active'  THEN activated_at IS NOT NULL AND ended_at IS NULL
        ELSE status IN ('unsubscribed', 'bounced', 'complained') AND ended_at IS NOT NULL
    END)
);
-- Also for the pages of an export by status, and for the count by status.
CREATE INDEX subscriber_by_status ON subscriber (status, id);

CREATE TABLE suppression (
    email_hash TEXT   NOT NULL PRIMARY KEY,
    reason     TEXT   NOT NULL CHECK (reason IN ('unsubscribed', 'bounced', 'complained', 'erased')),
    created_at BIGINT NOT NULL
);

CREATE TABLE issue (
    number       BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    slot         TEXT   UNIQUE,
    state        TEXT   NOT NULL,
    cutoff_at    BIGINT NOT NULL,
    subject      TEXT   NOT NULL,
    preheader    TEXT   NOT NULL,
    stencil      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    finished_at  BIGINT,
    pause_reason TEXT,
    -- 1: called off before one letter left, so its comparisons and its window are free again.
    released     BIGINT NOT NULL DEFAULT 0 CHECK (released IN (0, 1)),
    CONSTRAINT issue_state_times CHECK (CASE state
        WHEN 'running' THEN finished_at IS NULL AND pause_reason IS NULL AND released = 0
        WHEN 'paused'  THEN finished_at IS NULL AND pause_reason IS NOT NULL AND released = 0
        WHEN 'finished' THEN finished_at IS NOT NULL AND pause_reason IS NULL AND released = 0
        ELSE state = 'cancelled' AND finished_at IS NOT NULL AND pause_reason IS NULL
    END)
);
-- One run at a time, whatever races for it. The indexed expression is the same for every such row.
CREATE UNIQUE INDEX issue_one_unfinished ON issue ((finished_at IS NULL)) WHERE finished_at IS NULL;

CREATE TABLE comparison (
    slug         TEXT   NOT NULL PRIMARY KEY,
    published_at BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    imported_at  BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    featured_in  BIGINT REFERENCES issue (number)
);
CREATE INDEX comparison_by_published ON comparison (published_at);
CREATE INDEX comparison_candidate ON comparison (published_at, slug) WHERE featured_in IS NULL;
CREATE INDEX comparison_featured ON comparison (featured_in) WHERE featured_in IS NOT NULL;

CREATE TABLE issue_comparison (
    issue    BIGINT NOT NULL REFERENCES issue (number),
    role     TEXT   NOT NULL CHECK (role IN ('featured', 'mentioned')),
    position BIGINT NOT NULL,
    slug     TEXT   NOT NULL REFERENCES comparison (slug),
    PRIMARY KEY (issue, role, position),
    UNIQUE (issue, slug)
);

CREATE TABLE slot_skip (
    slot       TEXT   NOT NULL PRIMARY KEY,
    reason     TEXT   NOT NULL,
    skipped_at BIGINT NOT NULL
);

CREATE TABLE schedule_since (
    schedule TEXT   NOT NULL PRIMARY KEY,
    since    BIGINT NOT NULL
);

-- Gives out worker numbers; a row is the memory that a process delivered from here.
CREATE TABLE worker (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enlisted_at BIGINT NOT NULL
);

-- One letter owed to one subscriber. No foreign keys: the row outlives an erasure, without the address; an issue is never
-- deleted, and looking it up once for each of a million rows would be most of the cost of enqueueing them.
CREATE TABLE delivery (
    issue          BIGINT NOT NULL,
    subscriber     BIGINT NOT NULL,
    state          TEXT   NOT NULL,
    attempts       BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Attempts whose outcome could not be known.
    unknowns       BIGINT NOT NULL DEFAULT 0 CHECK (unknowns >= 0),
    enqueued_at    BIGINT NOT NULL,
    due_at         BIGINT,
    lease_until    BIGINT,
    worker         BIGINT,
    finished_at    BIGINT,
    reply_code     BIGINT,
    reply_enhanced TEXT,
    reply_text     TEXT,
    note           TEXT,
    PRIMARY KEY (issue, subscriber),
    CONSTRAINT delivery_state_times CHECK (CASE state
        WHEN 'queued'   THEN due_at IS NOT NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NULL AND attempts = 0
        WHEN 'deferred' THEN due_at IS NOT NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NULL
        WHEN 'sending'  THEN due_at IS NULL AND lease_until IS NOT NULL AND worker IS NOT NULL AND finished_at IS NULL AND attempts > 0
        ELSE state IN ('sent', 'failed', 'cancelled')
             AND due_at IS NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NOT NULL
    END)
);
-- Few indexes, since every one is paid for with each letter: the claim, the tally (and lists by state), and a small one.
CREATE INDEX delivery_due ON delivery (issue, due_at, subscriber) WHERE state IN ('queued', 'deferred');
CREATE INDEX delivery_by_state ON delivery (issue, state, subscriber);
CREATE INDEX delivery_unknown ON delivery (issue, subscriber) WHERE unknowns > 0;

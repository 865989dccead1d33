-- What a delivery's numbers and note had to be decoded for, as columns. Never edited after it has landed: a change is a new file,
-- here and under the same name in ../postgres.

-- Before, `variant` was the letter, 1000 more under subject B, and 10000 more for each choice of topics; who waited for the winner
-- of a test was due and enqueued 10^15 ms later; and the note of a row said that its letter was not begun, or why it was cancelled.
-- SQLite adds no constraint to a table that is there, so each is copied once.

-- The letters of an issue beside its own: those that carry less, for readers who chose topics, and those under subject B.
CREATE TABLE issue_variant_of_9 (
    issue   BIGINT NOT NULL REFERENCES issue (number),
    -- 0: the whole letter. Under subject A that is the issue's own.
    letter  BIGINT NOT NULL CHECK (letter >= 0),
    arm     TEXT   NOT NULL CHECK (arm IN ('a', 'b')),
    subject TEXT   NOT NULL,
    -- The featured comparisons it carries: a JSON array of slugs.
    slugs   TEXT   NOT NULL,
    stencil TEXT   NOT NULL,
    PRIMARY KEY (issue, letter, arm),
    CONSTRAINT issue_variant_beside_the_issue CHECK (letter > 0 OR arm = 'b')
);
INSERT INTO issue_variant_of_9 (issue, letter, arm, subject, slugs, stencil)
    SELECT issue, variant % 1000, CASE WHEN variant >= 1000 THEN 'b' ELSE 'a' END, subject, slugs, stencil FROM issue_variant;
DROP TABLE issue_variant;
ALTER TABLE issue_variant_of_9 RENAME TO issue_variant;

-- What those got who chose these topics.
CREATE TABLE issue_topics_of_9 (
    issue  BIGINT NOT NULL REFERENCES issue (number),
    topics TEXT   NOT NULL,
    -- Its number among the choices of the issue, from 1.
    choice BIGINT NOT NULL CHECK (choice > 0),
    -- 0: the whole letter; none: nothing of the issue is left for them.
    letter BIGINT CHECK (letter >= 0),
    PRIMARY KEY (issue, topics),
    UNIQUE (issue, choice)
) WITHOUT ROWID;
INSERT INTO issue_topics_of_9 (issue, topics, choice, letter)
    SELECT issue, topics, ROW_NUMBER() OVER (PARTITION BY issue ORDER BY topics),
           CASE WHEN variant IS NULL THEN 0 WHEN variant > 0 THEN variant END
    FROM issue_topics;
DROP TABLE issue_topics;
ALTER TABLE issue_topics_of_9 RENAME TO issue_topics;

CREATE TABLE delivery_of_9 (
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
    -- For people; nothing depends on its words.
    note           TEXT,
    -- Which letter it is, as in issue_variant; 0: the whole one.
    letter         BIGINT NOT NULL DEFAULT 0 CHECK (letter >= 0),
    -- The subject it goes under.
    arm            TEXT   NOT NULL DEFAULT 'a' CHECK (arm IN ('a', 'b')),
    -- The choice of topics that the reader made, as in issue_topics; none: the reader chose none.
    choice         BIGINT CHECK (choice > 0),
    -- 1: it waits for the winner of the subject test, whenever it would be due. A row that is cancelled meanwhile stays so, since
    -- a leaving that is taken back puts it where it was.
    held           BIGINT NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    -- 1: a worker has claimed it and not begun its letter; if that worker ends, it was not tried.
    ahead          BIGINT NOT NULL DEFAULT 0 CHECK (ahead IN (0, 1)),
    -- Its list is looked at for cancelled rows alone: SQLite builds it anew for each statement that asks for it.
    cancelled_by   TEXT,
    PRIMARY KEY (issue, subscriber),
    CONSTRAINT delivery_state_times CHECK (CASE state
        WHEN 'queued'   THEN due_at IS NOT NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NULL AND attempts = 0
        WHEN 'deferred' THEN due_at IS NOT NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NULL
        WHEN 'sending'  THEN due_at IS NULL AND lease_until IS NOT NULL AND worker IS NOT NULL AND finished_at IS NULL AND attempts > 0
        ELSE state IN ('sent', 'failed', 'cancelled')
             AND due_at IS NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NOT NULL
    END),
    CONSTRAINT delivery_held CHECK (held = 0 OR state IN ('queued', 'cancelled')),
    CONSTRAINT delivery_ahead CHECK (ahead = 0 OR state = 'sending'),
    CONSTRAINT delivery_cancelled CHECK (CASE WHEN state = 'cancelled'
        THEN cancelled_by IS NOT NULL AND cancelled_by IN ('leaving', 'pause', 'topics', 'erasure', 'operator', 'unwanted')
        ELSE cancelled_by IS NULL END)
) WITHOUT ROWID;
INSERT INTO delivery_of_9 (issue, subscriber, state, attempts, unknowns, enqueued_at, due_at, lease_until, worker, finished_at,
                           reply_code, reply_enhanced, reply_text, note, letter, arm, choice, held, ahead, cancelled_by)
    SELECT issue, subscriber, state, attempts, unknowns,
           CASE WHEN enqueued_at >= 1000000000000000 THEN enqueued_at - 1000000000000000 ELSE enqueued_at END,
           CASE WHEN due_at >= 1000000000000000 THEN due_at - 1000000000000000 ELSE due_at END,
           lease_until, worker, finished_at, reply_code, reply_enhanced, reply_text,
           CASE WHEN state = 'sending' AND note = 'claimed, and its letter not begun' THEN NULL ELSE note END,
           COALESCE(variant, 0) % 1000,
           CASE WHEN COALESCE(variant, 0) % 10000 >= 1000 THEN 'b' ELSE 'a' END,
           NULLIF(variant / 10000, 0),
           CASE WHEN enqueued_at >= 1000000000000000 THEN 1 ELSE 0 END,
           CASE WHEN state = 'sending' AND note = 'claimed, and its letter not begun' THEN 1 ELSE 0 END,
           CASE WHEN state <> 'cancelled' THEN NULL
                WHEN note = 'the subscriber unsubscribed' THEN 'leaving'
                WHEN note LIKE 'the reader has paused until %' THEN 'pause'
                WHEN note = 'nothing in it of the topics that the reader chose' THEN 'topics'
                WHEN note = 'the subscriber was erased' THEN 'erasure'
                WHEN note = 'the issue was called off' THEN 'operator'
                ELSE 'unwanted' END
    FROM delivery ORDER BY issue, subscriber;
DROP TABLE delivery;
ALTER TABLE delivery_of_9 RENAME TO delivery;
-- As before; but who is held is not in the index that claims go by, so that no claim walks over a list that waits.
CREATE INDEX delivery_due ON delivery (issue, due_at, subscriber) WHERE state IN ('queued', 'deferred') AND held = 0;
CREATE INDEX delivery_by_state ON delivery (issue, state, subscriber);
CREATE INDEX delivery_unknown ON delivery (issue, subscriber) WHERE unknowns > 0;

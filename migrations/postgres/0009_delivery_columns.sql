-- What a delivery's numbers and note had to be decoded for, as columns. Never edited after it has landed: a change is a new file,
-- here and under the same name in ../sqlite.

-- Before, `variant` was the letter, 1000 more under subject B, and 10000 more for each choice of topics; who waited for the winner
-- of a test was due and enqueued 10^15 ms later; and the note of a row said that its letter was not begun, or why it was cancelled.

-- The letters of an issue beside its own: those that carry less, for readers who chose topics, and those under subject B.
ALTER TABLE issue_variant
    -- 0: the whole letter. Under subject A that is the issue's own.
    ADD COLUMN letter BIGINT NOT NULL DEFAULT 0 CHECK (letter >= 0),
    ADD COLUMN arm    TEXT   NOT NULL DEFAULT 'a' CHECK (arm IN ('a', 'b'));
UPDATE issue_variant SET letter = variant % 1000, arm = CASE WHEN variant >= 1000 THEN 'b' ELSE 'a' END;
-- The key goes with its column.
ALTER TABLE issue_variant DROP COLUMN variant;
ALTER TABLE issue_variant
    ALTER COLUMN letter DROP DEFAULT,
    ALTER COLUMN arm DROP DEFAULT,
    ADD PRIMARY KEY (issue, letter, arm),
    ADD CONSTRAINT issue_variant_beside_the_issue CHECK (letter > 0 OR arm = 'b');

-- What those got who chose these topics.
ALTER TABLE issue_topics
    -- Its number among the choices of the issue, from 1.
    ADD COLUMN choice BIGINT,
    -- 0: the whole letter; none: nothing of the issue is left for them.
    ADD COLUMN letter BIGINT CHECK (letter >= 0);
UPDATE issue_topics AS t SET choice = n.choice, letter = CASE WHEN t.variant IS NULL THEN 0 WHEN t.variant > 0 THEN t.variant END
    FROM (SELECT issue, topics, ROW_NUMBER() OVER (PARTITION BY issue ORDER BY topics) AS choice FROM issue_topics) AS n
    WHERE t.issue = n.issue AND t.topics = n.topics;
ALTER TABLE issue_topics
    DROP COLUMN variant,
    ALTER COLUMN choice SET NOT NULL,
    ADD CHECK (choice > 0),
    ADD UNIQUE (issue, choice);

ALTER TABLE delivery
    -- Which letter it is, as in issue_variant; 0: the whole one.
    ADD COLUMN letter       BIGINT NOT NULL DEFAULT 0 CHECK (letter >= 0),
    -- The subject it goes under.
    ADD COLUMN arm          TEXT   NOT NULL DEFAULT 'a' CHECK (arm IN ('a', 'b')),
    -- The choice of topics that the reader made, as in issue_topics; none: the reader chose none.
    ADD COLUMN choice       BIGINT CHECK (choice > 0),
    -- 1: it waits for the winner of the subject test, whenever it would be due. A row that is cancelled meanwhile stays so, since
    -- a leaving that is taken back puts it where it was.
    ADD COLUMN held         BIGINT NOT NULL DEFAULT 0 CHECK (held IN (0, 1)),
    -- 1: a worker has claimed it and not begun its letter; if that worker ends, it was not tried.
    ADD COLUMN ahead        BIGINT NOT NULL DEFAULT 0 CHECK (ahead IN (0, 1)),
    -- Its list is looked at for cancelled rows alone, as on SQLite.
    ADD COLUMN cancelled_by TEXT;
UPDATE delivery SET letter = variant % 1000, arm = CASE WHEN variant % 10000 >= 1000 THEN 'b' ELSE 'a' END,
    choice = NULLIF(variant / 10000, 0)
    WHERE variant IS NOT NULL;
UPDATE delivery SET held = 1, enqueued_at = enqueued_at - 1000000000000000, due_at = due_at - 1000000000000000
    WHERE enqueued_at >= 1000000000000000;
UPDATE delivery SET ahead = 1, note = NULL WHERE state = 'sending' AND note = 'claimed, and its letter not begun';
UPDATE delivery SET cancelled_by = CASE
        WHEN note = 'the subscriber unsubscribed' THEN 'leaving'
        WHEN note LIKE 'the reader has paused until %' THEN 'pause'
        WHEN note = 'nothing in it of the topics that the reader chose' THEN 'topics'
        WHEN note = 'the subscriber was erased' THEN 'erasure'
        WHEN note = 'the issue was called off' THEN 'operator'
        ELSE 'unwanted' END
    WHERE state = 'cancelled';
ALTER TABLE delivery
    DROP COLUMN variant,
    ADD CONSTRAINT delivery_held CHECK (held = 0 OR state IN ('queued', 'cancelled')),
    ADD CONSTRAINT delivery_ahead CHECK (ahead = 0 OR state = 'sending'),
    ADD CONSTRAINT delivery_cancelled CHECK (CASE WHEN state = 'cancelled'
        THEN cancelled_by IS NOT NULL AND cancelled_by IN ('leaving', 'pause', 'topics', 'erasure', 'operator', 'unwanted')
        ELSE cancelled_by IS NULL END);
-- Who is held is not in the index that claims go by, so that no claim walks over a list that waits.
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (issue, due_at, subscriber) WHERE state IN ('queued', 'deferred') AND held = 0;

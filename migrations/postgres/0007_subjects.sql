-- Subjects that an operator wrote, and tests of two subjects. Never edited after it has landed: a change is a new file, here and
-- under the same name in ../sqlite.

-- What an operator wrote for an issue before it was made; what is absent is composed.
CREATE TABLE wording (
    issue      BIGINT NOT NULL PRIMARY KEY CHECK (issue > 0),
    subject    TEXT,
    preheader  TEXT,
    -- The subject to test the first one against, the share of the readers in per cent, and how long the others wait.
    against    TEXT,
    share      BIGINT CHECK (share BETWEEN 1 AND 90),
    wait_ms    BIGINT CHECK (wait_ms > 0),
    written_at BIGINT NOT NULL,
    CHECK ((against IS NULL) = (share IS NULL) AND (against IS NULL) = (wait_ms IS NULL))
);

-- A test of two subjects. Which subject a reader gets stands on the delivery: its letters under subject B are the variants from
-- 1000 on, the one of 1000 + n like n (0: the whole letter). Who waits for the winner is queued, due and enqueued 10^15 ms later
-- than without the test.
CREATE TABLE subject_test (
    issue      BIGINT NOT NULL PRIMARY KEY REFERENCES issue (number),
    a          TEXT   NOT NULL,
    b          TEXT   NOT NULL,
    share      BIGINT NOT NULL,
    -- The tools that a vote counts on: a JSON array of slugs.
    tools      TEXT   NOT NULL,
    decide_at  BIGINT NOT NULL,
    -- As they stood at the decision.
    sent_a     BIGINT,
    voted_a    BIGINT,
    sent_b     BIGINT,
    voted_b    BIGINT,
    winner     TEXT   CHECK (winner IN ('a', 'b')),
    why        TEXT   CHECK (why IN ('rate', 'tie', 'too_few')),
    decided_at BIGINT,
    CONSTRAINT subject_test_decided CHECK (CASE WHEN decided_at IS NULL
        THEN winner IS NULL AND why IS NULL AND sent_a IS NULL AND voted_a IS NULL AND sent_b IS NULL AND voted_b IS NULL
        ELSE winner IS NOT NULL AND why IS NOT NULL AND sent_a IS NOT NULL AND voted_a IS NOT NULL
             AND sent_b IS NOT NULL AND voted_b IS NOT NULL END)
);

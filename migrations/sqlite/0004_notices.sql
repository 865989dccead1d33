-- Letters to one person because of something they did, the proof that they asked, and what keeps forms from being abused.
-- Never edited after it has landed: a change is a new file, here and under the same name in ../postgres.

CREATE TABLE notice (
    -- AUTOINCREMENT: the Message-ID comes from it, so it is never used again.
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT   NOT NULL,
    email          TEXT   NOT NULL,
    -- Absent where the notice is about no subscriber, or its subscriber was erased.
    subscriber     BIGINT,
    -- A JSON object of texts: what the templates of this kind need to know.
    data           TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    attempts       BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    created_at     BIGINT NOT NULL,
    due_at         BIGINT,
    lease_until    BIGINT,
    worker         BIGINT,
    finished_at    BIGINT,
    reply_code     BIGINT,
    reply_enhanced TEXT,
    reply_text     TEXT,
    note           TEXT,
    CONSTRAINT notice_state_times CHECK (CASE state
        WHEN 'queued'  THEN due_at IS NOT NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NULL
        WHEN 'sending' THEN due_at IS NULL AND lease_until IS NOT NULL AND worker IS NOT NULL AND finished_at IS NULL AND attempts > 0
        ELSE state IN ('sent', 'failed')
             AND due_at IS NULL AND lease_until IS NULL AND worker IS NULL AND finished_at IS NOT NULL
    END)
);
CREATE INDEX notice_due ON notice (due_at, id) WHERE state = 'queued';
CREATE INDEX notice_sending ON notice (id) WHERE state = 'sending';
CREATE INDEX notice_done ON notice (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX notice_of ON notice (subscriber);

-- Who asked for the letter and has not confirmed yet. The subscriber may be new (status pending) or one who had left.
CREATE TABLE pending (
    subscriber BIGINT NOT NULL PRIMARY KEY,
    -- The last time they asked; the address is removed some time after it.
    asked_at   BIGINT NOT NULL,
    -- Until when the link in the notice confirms.
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX pending_by_age ON pending (asked_at);

-- The proof of consent: one row for each time somebody asked.
CREATE TABLE consent (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber   BIGINT NOT NULL,
    asked_at     BIGINT NOT NULL,
    confirmed_at BIGINT,
    -- The address of the form.
    form         TEXT   NOT NULL,
    -- The text that stood beside the button: its name, its language, and the words themselves.
    text_id      TEXT   NOT NULL,
    language     TEXT   NOT NULL,
    text         TEXT   NOT NULL,
    -- Truncated or hashed, or absent, as the settings say.
    ip           TEXT
);
CREATE INDEX consent_of ON consent (subscriber, id);

-- How much of each limit is used up. The keys are keyed hashes: no address and no IP can be read from them.
CREATE TABLE allowance (
    key     TEXT   NOT NULL PRIMARY KEY,
    used    BIGINT NOT NULL CHECK (used > 0),
    -- From then on nothing of it is used.
    ends_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX allowance_by_end ON allowance (ends_at);

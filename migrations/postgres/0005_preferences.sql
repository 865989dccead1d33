-- What readers choose, and how they leave. Never edited after it has landed: a change is a new file, here and under the
-- same name in ../sqlite.

-- The letter of those who chose topics; none: the whole letter. Which one a reader gets stands on the delivery, so that it is
-- the same at every attempt, whatever is chosen meanwhile.
CREATE TABLE issue_variant (
    issue   BIGINT NOT NULL REFERENCES issue (number),
    variant BIGINT NOT NULL CHECK (variant > 0),
    subject TEXT   NOT NULL,
    -- The featured comparisons it carries: a JSON array of slugs.
    slugs   TEXT   NOT NULL,
    stencil TEXT   NOT NULL,
    PRIMARY KEY (issue, variant)
);
ALTER TABLE delivery ADD COLUMN variant BIGINT;

-- What those got who chose these topics: a variant, 0 for nothing, none for the whole letter.
CREATE TABLE issue_topics (
    issue   BIGINT NOT NULL REFERENCES issue (number),
    topics  TEXT   NOT NULL,
    variant BIGINT,
    PRIMARY KEY (issue, topics)
);
-- When the hour was that readers of a zone had chosen.
CREATE TABLE issue_hour (
    issue   BIGINT NOT NULL REFERENCES issue (number),
    zone    TEXT   NOT NULL,
    at_hour BIGINT NOT NULL,
    due_at  BIGINT NOT NULL,
    PRIMARY KEY (issue, zone, at_hour)
);

-- The categories of a comparison's tools, so that a page can list them without reading every comparison.
CREATE TABLE comparison_topic (
    topic TEXT NOT NULL,
    slug  TEXT NOT NULL REFERENCES comparison (slug),
    PRIMARY KEY (topic, slug)
);
CREATE INDEX comparison_topic_by_slug ON comparison_topic (slug);
INSERT INTO comparison_topic (topic, slug)
    SELECT DISTINCT trim(t.value ->> 'category'), c.slug
    FROM comparison c, json_array_elements(CAST(c.body AS JSON) -> 'tools') AS t(value);

-- A row for those who chose something, and no other.
CREATE TABLE preference (
    subscriber   BIGINT NOT NULL PRIMARY KEY,
    -- A JSON array of topics, sorted, so that equal choices are equal texts; none: everything.
    topics       TEXT,
    -- The hour of the day, on the clock of subscriber.timezone, from which on a letter may go; none: with everybody's.
    at_hour      BIGINT CHECK (at_hour BETWEEN 0 AND 23),
    -- The day on which letters go on, as the reader wrote it, and when it begins where the reader is.
    resume_on    TEXT,
    paused_until BIGINT,
    CHECK ((resume_on IS NULL) = (paused_until IS NULL))
);

-- Every leaving by a reader's own hand: what it takes to undo a slip, and why people go.
CREATE TABLE leaving (
    subscriber BIGINT NOT NULL,
    left_at    BIGINT NOT NULL,
    was        TEXT   NOT NULL CHECK (was IN ('pending', 'active')),
    reason     TEXT,
    words      TEXT,
    undone_at  BIGINT,
    PRIMARY KEY (subscriber, left_at)
);

-- New addresses that their owners have not confirmed yet.
CREATE TABLE address_change (
    -- An identity: the id stands in the confirmation's token.
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber   BIGINT NOT NULL,
    email        TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX address_change_by_subscriber ON address_change (subscriber, id);
CREATE INDEX address_change_by_end ON address_change (expires_at);

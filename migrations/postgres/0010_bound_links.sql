-- What links are bound to. Never edited after it has landed: a change is a new file, here and under the same name in
-- ../sqlite.

-- How often the address has changed. It stands in the links that open a reader's own page, so that those which went to an
-- address before are good for nothing; links of releases before this one are those of 0.
ALTER TABLE subscriber ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- The consent with which the wish began: a link confirms the wish that it was sent for, and no later one. 0: the wish of a
-- release before this one, whose links name none.
ALTER TABLE pending ADD COLUMN request BIGINT NOT NULL DEFAULT 0;

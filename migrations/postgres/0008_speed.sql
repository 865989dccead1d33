-- How fast each worker delivers at this moment, for those who ask while a run goes on. Never edited after it has landed: a
-- change is a new file, here and under the same name in ../sqlite.

CREATE TABLE speed (
    worker       BIGINT NOT NULL PRIMARY KEY,
    -- Thousandths of a letter a second, over the last seconds before noted_at (milliseconds).
    milliletters BIGINT NOT NULL CHECK (milliletters >= 0),
    noted_at     BIGINT NOT NULL
);

//! Migrations: embedded, numbered, each in one transaction, and the check of the version when a
//! store opens.

use sqlx::AnyConnection;
use sqlx::Row as _;

use crate::domain::UnixMillis;
use crate::store::db::dialect::Engine;
use crate::store::db::error::{Result, StoreError};
use crate::store::db::store::{Inner, Store};
use crate::store::db::tx::{Durability, Lock};

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Every migration, in order. A text that has landed is never edited.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "ledger",
        sqlite: include_str!("../../../migrations/sqlite/0001_ledger.sql"),
        postgres: include_str!("../../../migrations/postgres/0001_ledger.sql"),
    },
    Migration {
        version: 2,
        name: "pacing",
        sqlite: include_str!("../../../migrations/sqlite/0002_pacing.sql"),
        postgres: include_str!("../../../migrations/postgres/0002_pacing.sql"),
    },
    Migration {
        version: 3,
        name: "retention",
        sqlite: include_str!("../../../migrations/sqlite/0003_retention.sql"),
        postgres: include_str!("../../../migrations/postgres/0003_retention.sql"),
    },
    Migration {
        version: 4,
        name: "notices",
        sqlite: include_str!("../../../migrations/sqlite/0004_notices.sql"),
        postgres: include_str!("../../../migrations/postgres/0004_notices.sql"),
    },
    Migration {
        version: 5,
        name: "preferences",
        sqlite: include_str!("../../../migrations/sqlite/0005_preferences.sql"),
        postgres: include_str!("../../../migrations/postgres/0005_preferences.sql"),
    },
    Migration {
        version: 6,
        name: "votes",
        sqlite: include_str!("../../../migrations/sqlite/0006_votes.sql"),
        postgres: include_str!("../../../migrations/postgres/0006_votes.sql"),
    },
    Migration {
        version: 7,
        name: "subjects",
        sqlite: include_str!("../../../migrations/sqlite/0007_subjects.sql"),
        postgres: include_str!("../../../migrations/postgres/0007_subjects.sql"),
    },
    Migration {
        version: 8,
        name: "speed",
        sqlite: include_str!("../../../migrations/sqlite/0008_speed.sql"),
        postgres: include_str!("../../../migrations/postgres/0008_speed.sql"),
    },
    Migration {
        version: 9,
        name: "delivery_columns",
        sqlite: include_str!("../../../migrations/sqlite/0009_delivery_columns.sql"),
        postgres: include_str!("../../../migrations/postgres/0009_delivery_columns.sql"),
    },
    Migration {
        version: 10,
        name: "bound_links",
        sqlite: include_str!("../../../migrations/sqlite/0010_bound_links.sql"),
        postgres: include_str!("../../../migrations/postgres/0010_bound_links.sql"),
    },
];

/// The schema this binary needs.
pub const SCHEMA: i64 = MIGRATIONS[MIGRATIONS.len() - 1].version;

const SCHEMA_VERSION: &str = "CREATE TABLE IF NOT EXISTS schema_version (
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)";

impl Store {
    /// Brings the schema up to this binary's; refuses a newer one. Returns the versions before and
    /// after.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] and [`StoreError::Foreign`]. A migration that fails leaves
    /// the version before it.
    pub async fn migrate(&self) -> Result<(i64, i64)> {
        let before = self.version().await?;
        let mut at = before;
        while at < SCHEMA {
            at = self.inner.step().await?;
        }
        if at > SCHEMA {
            return Err(StoreError::SchemaNewer { found: at, needed: SCHEMA });
        }
        Ok((before, at))
    }

    /// Refuses a schema that is not this binary's; an empty database is migrated on the spot.
    pub(in crate::store) async fn check_schema(&self) -> Result<()> {
        match self.version().await? {
            0 => self.migrate().await.map(|_| ()),
            SCHEMA => Ok(()),
            found if found > SCHEMA => Err(StoreError::SchemaNewer { found, needed: SCHEMA }),
            found => Err(StoreError::SchemaOlder { found, needed: SCHEMA }),
        }
    }

    async fn version(&self) -> Result<i64> {
        let mut connection = self.inner.durable.acquire().await?;
        self.inner.version_in(&mut connection).await
    }
}

impl Inner {
    /// The version in the database; 0 when it is empty.
    async fn version_in(&self, connection: &mut AnyConnection) -> Result<i64> {
        let tables = match self.engine {
            Engine::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
            Engine::Postgres => {
                "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = current_schema()"
            }
        };
        let tables = sqlx::query(tables).fetch_all(&mut *connection).await?;
        if tables.is_empty() {
            return Ok(0);
        }
        let ours =
            tables.iter().any(|row| row.try_get::<String, _>("name").is_ok_and(|n| n == "schema_version"));
        if !ours {
            return Err(StoreError::Foreign { place: self.place.clone() });
        }
        let row =
            sqlx::query("SELECT MAX(version) AS version FROM schema_version").fetch_one(connection).await?;
        Ok(row.try_get::<Option<i64>, _>("version")?.unwrap_or(0))
    }

    /// Applies the migration that comes next (all of them to an empty database), in one
    /// transaction; returns the version it led to. Two processes that open an empty database at
    /// once wait for each other here, and the second finds nothing left to do.
    async fn step(&self) -> Result<i64> {
        let mut write = self.begin(Durability::Full).await?;
        write.lock(Lock::Ledger).await?;
        let tx = &mut *write.tx;
        let at = self.version_in(tx).await?;
        // An empty database gets all of them at once: nobody who opens it meanwhile sees one that
        // is halfway.
        let many = if at == 0 { MIGRATIONS.len() } else { 1 };
        let mut reached = at;
        sqlx::query(SCHEMA_VERSION).execute(&mut *tx).await?;
        for next in MIGRATIONS.iter().filter(|m| m.version > at).take(many) {
            let text = match self.engine {
                Engine::Sqlite => next.sqlite,
                Engine::Postgres => next.postgres,
            };
            sqlx::raw_sql(text).execute(&mut *tx).await?;
            sqlx::query("INSERT INTO schema_version (version, name, applied_at) VALUES ($1, $2, $3)")
                .bind(next.version)
                .bind(next.name)
                .bind(UnixMillis::now().0)
                .execute(&mut *tx)
                .await?;
            reached = next.version;
        }
        write.commit().await?;
        Ok(reached)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_a_migration_is_run_under_its_number() {
        let listed: Vec<_> = MIGRATIONS.iter().map(|m| format!("{:04}_{}.sql", m.version, m.name)).collect();
        for engine in ["sqlite", "postgres"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
            let files = std::fs::read_dir(folder).unwrap();
            let mut files: Vec<_> =
                files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            files.sort();
            assert_eq!(files, listed, "migrations/{engine} and MIGRATIONS");
        }
        assert!(MIGRATIONS.iter().map(|m| m.version).eq(1..=SCHEMA), "they are numbered without a gap");
    }
}

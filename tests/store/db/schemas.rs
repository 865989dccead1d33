//! Both engines have one schema: tables, columns, keys, constraints and indexes, read from real databases.
//!
//! Each of these is one line of text, such as `delivery.note text null`. A CHECK and the condition of an index are compared
//! by the columns and the literals in them, since Postgres gives neither back as it was written.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use crate::support::world::*;

/// Kept by the engine, or by the migrations themselves.
const NOT_OURS: [&str; 1] = ["sqlite_sequence"];

async fn rows(connection: &mut AnyConnection, query: String) -> Vec<AnyRow> {
    sqlx::query(AssertSqlSafe(query)).fetch_all(connection).await.expect("the catalogue answers")
}

fn text(row: &AnyRow, column: &str) -> String {
    row.get::<Option<String>, _>(column).unwrap_or_default()
}

/// The columns and the literals that a condition speaks of.
fn gist(condition: &str, columns: &BTreeSet<String>) -> String {
    let (mut found, mut word, mut quoted) = (BTreeSet::new(), String::new(), None::<String>);
    // A cast says nothing that the other engine would say too.
    let mut rest =
        condition.replace('"', "").replace("::text[]", "").replace("::text", "").replace("::bigint", "");
    rest.push(' ');
    for c in rest.chars() {
        match (&mut quoted, c) {
            (Some(inside), '\'') => {
                found.insert(format!("'{inside}'"));
                quoted = None;
            }
            (Some(inside), c) => inside.push(c),
            (None, '\'') => quoted = Some(String::new()),
            (None, c) if c.is_ascii_alphanumeric() || c == '_' => word.push(c),
            (None, _) => {
                let is_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
                if is_number || columns.contains(&word) {
                    found.insert(word.clone());
                }
                word.clear();
            }
        }
    }
    found.into_iter().collect::<Vec<_>>().join(" ")
}

/// The names in the first pair of parentheses.
fn listed(text: &str) -> String {
    let inside =
        text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    inside.replace('"', "")
}

mod sqlite_catalogue {
    use super::*;

    /// As it was written, without its comments.
    fn statement(sql: &str) -> String {
        sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
    }

    /// Each CHECK of a table: its name, if it has one, and its condition.
    fn checks(sql: &str) -> Vec<(String, &str)> {
        let mut found = Vec::new();
        for (at, _) in sql.match_indices("CHECK (") {
            let open = at + "CHECK ".len();
            let mut depth = 0;
            let end = sql[open..].find(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let before: Vec<&str> = sql[..at].split_whitespace().rev().take(2).collect();
            let name = if before.get(1) == Some(&"CONSTRAINT") { before[0] } else { "" };
            found.push((name.to_owned(), &sql[open..open + end.expect("it is closed")]));
        }
        found
    }

    async fn columns(
        connection: &mut AnyConnection,
        table: &str,
        sql: &str,
        lines: &mut BTreeSet<String>,
    ) -> BTreeSet<String> {
        let query = format!(
            "SELECT name, type, \"notnull\" AS filled, dflt_value, pk FROM pragma_table_info('{table}')"
        );
        let (mut names, mut key) = (BTreeSet::new(), Vec::new());
        for row in rows(connection, query).await {
            let (name, declared, default) =
                (text(&row, "name"), text(&row, "type"), text(&row, "dflt_value"));
            let place: i64 = row.get("pk");
            // The one column of a key that SQLite itself numbers, and so never leaves empty.
            let is_row_id = declared == "INTEGER" && place > 0;
            let identity = if is_row_id && sql.contains("AUTOINCREMENT") { " numbered" } else { "" };
            let filled = if is_row_id || row.get::<i64, _>("filled") == 1 { "filled" } else { "null" };
            let class = match declared.as_str() {
                "INTEGER" | "BIGINT" => "number",
                "TEXT" => "text",
                other => panic!("{table}.{name} is of type {other}"),
            };
            lines.insert(format!("{table}.{name} {class} {filled}{identity} default {default:?}"));
            if place > 0 {
                key.push((place, name.clone()));
            }
            names.insert(name);
        }
        key.sort();
        let key: Vec<_> = key.into_iter().map(|(_, name)| name).collect();
        lines.insert(format!("{table} PRIMARY KEY ({})", key.join(", ")));
        names
    }

    async fn indexes(
        connection: &mut AnyConnection,
        table: &str,
        columns: &BTreeSet<String>,
        lines: &mut BTreeSet<String>,
    ) {
        let query = format!(
            "SELECT l.name, l.\"unique\" AS alone, l.origin, m.sql FROM pragma_index_list('{table}') AS l
             LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name"
        );
        for index in rows(connection, query).await {
            let name = text(&index, "name");
            let query = format!(
                "SELECT name, \"desc\" AS falling FROM pragma_index_xinfo('{name}') WHERE key = 1 ORDER BY seqno"
            );
            let parts: Vec<String> = rows(connection, query)
                .await
                .iter()
                .map(|row| {
                    let falling = if row.get::<i64, _>("falling") == 1 { " DESC" } else { "" };
                    let name =
                        row.get::<Option<String>, _>("name").unwrap_or_else(|| "an expression".to_owned());
                    format!("{name}{falling}")
                })
                .collect();
            let parts = parts.join(", ");
            match text(&index, "origin").as_str() {
                "pk" => {}
                "u" => {
                    lines.insert(format!("{table} UNIQUE ({parts})"));
                }
                _ => {
                    let alone = if index.get::<i64, _>("alone") == 1 { "UNIQUE " } else { "" };
                    let sql = statement(&text(&index, "sql"));
                    let only =
                        sql.split_once(" WHERE ").map(|(_, only)| format!(" WHERE {}", gist(only, columns)));
                    lines.insert(format!(
                        "{alone}INDEX {name} ON {table} ({parts}){}",
                        only.unwrap_or_default()
                    ));
                }
            }
        }
    }

    pub(super) async fn schema(connection: &mut AnyConnection) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        let tables =
            rows(connection, "SELECT name, sql FROM sqlite_master WHERE type = 'table'".to_owned()).await;
        for table in tables {
            let (table, sql) = (text(&table, "name"), statement(&text(&table, "sql")));
            if NOT_OURS.contains(&table.as_str()) {
                continue;
            }
            let names = columns(connection, &table, &sql, &mut lines).await;
            indexes(connection, &table, &names, &mut lines).await;
            for (name, condition) in checks(&sql) {
                lines.insert(format!("{table} CHECK {name:?} {}", gist(condition, &names)));
            }
            let query = format!(
                "SELECT \"table\" AS of, \"from\" AS own, \"to\" AS theirs, on_delete FROM pragma_foreign_key_list('{table}')"
            );
            for key in rows(connection, query).await {
                let (of, own, theirs) = (text(&key, "of"), text(&key, "own"), text(&key, "theirs"));
                assert_eq!(
                    text(&key, "on_delete"),
                    "NO ACTION",
                    "{table}.{own}: nothing here deletes by itself"
                );
                lines.insert(format!("{table} FOREIGN KEY ({own}) REFERENCES {of}({theirs})"));
            }
        }
        lines
    }
}

mod postgres_catalogue {
    use std::collections::BTreeMap;

    use super::*;

    async fn columns(
        connection: &mut AnyConnection,
        lines: &mut BTreeSet<String>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        const COLUMNS: &str = "
            SELECT CAST(table_name AS TEXT) AS tab, CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS type,
                   CAST(is_nullable AS TEXT) AS nullable, CAST(column_default AS TEXT) AS standard,
                   CAST(is_identity AS TEXT) AS numbered
            FROM information_schema.columns WHERE table_schema = current_schema()";
        let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows(connection, COLUMNS.to_owned()).await {
            let (table, name) = (text(&row, "tab"), text(&row, "name"));
            let class = match text(&row, "type").as_str() {
                "bigint" => "number",
                "text" => "text",
                other => panic!("{table}.{name} is of type {other}"),
            };
            let filled = if text(&row, "nullable") == "YES" { "null" } else { "filled" };
            let numbered = if text(&row, "numbered") == "YES" { " numbered" } else { "" };
            let default = text(&row, "standard").replace("::text", "").replace("::bigint", "");
            lines.insert(format!("{table}.{name} {class} {filled}{numbered} default {default:?}"));
            tables.entry(table).or_default().insert(name);
        }
        tables
    }

    pub(super) async fn schema(connection: &mut AnyConnection) -> BTreeSet<String> {
        const CONSTRAINTS: &str = "
            SELECT CAST(c.conname AS TEXT) AS name, CAST(c.contype AS TEXT) AS type, CAST(t.relname AS TEXT) AS tab,
                   pg_get_constraintdef(c.oid) AS definition
            FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
            WHERE c.connamespace = CAST(current_schema() AS regnamespace) AND c.contype IN ('p', 'u', 'f', 'c')";
        const INDEXES: &str = "
            SELECT CAST(i.relname AS TEXT) AS name, CAST(t.relname AS TEXT) AS tab, CAST(x.indisunique AS INTEGER) AS alone,
                   pg_get_expr(x.indpred, x.indrelid) AS only,
                   (SELECT string_agg(
                        CASE x.indkey[place - 1] WHEN 0 THEN 'an expression' ELSE pg_get_indexdef(x.indexrelid, CAST(place AS INTEGER), true) END
                        || CASE WHEN x.indoption[place - 1] & 1 = 1 THEN ' DESC' ELSE '' END, ', ' ORDER BY place)
                    FROM generate_series(1, CAST(x.indnkeyatts AS INTEGER)) AS place) AS parts
            FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
            WHERE t.relnamespace = CAST(current_schema() AS regnamespace)
              AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u'))";
        let mut lines = BTreeSet::new();
        let tables = columns(connection, &mut lines).await;
        for row in rows(connection, CONSTRAINTS.to_owned()).await {
            let (name, table, definition) = (text(&row, "name"), text(&row, "tab"), text(&row, "definition"));
            lines.insert(match text(&row, "type").as_str() {
                "p" => format!("{table} PRIMARY KEY ({})", listed(&definition)),
                "u" => format!("{table} UNIQUE ({})", listed(&definition)),
                "f" => format!("{table} {}", definition.replace('"', "")),
                _ => {
                    // Postgres names what nobody has named: by the table, by the column if there is one, and as a check.
                    let is_named = !name.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with("_check");
                    let name = if is_named { name } else { String::new() };
                    format!("{table} CHECK {name:?} {}", gist(&definition, &tables[&table]))
                }
            });
        }
        for row in rows(connection, INDEXES.to_owned()).await {
            let (name, table, parts) = (text(&row, "name"), text(&row, "tab"), text(&row, "parts"));
            let alone = if row.get::<i32, _>("alone") == 1 { "UNIQUE " } else { "" };
            let only = row.get::<Option<String>, _>("only");
            let only =
                only.map(|only| format!(" WHERE {}", gist(&only, &tables[&table]))).unwrap_or_default();
            lines.insert(format!("{alone}INDEX {name} ON {table} ({}){only}", parts.replace('"', "")));
        }
        lines
    }
}

/// What stands in one and not in the other.
fn differences(sqlite: &BTreeSet<String>, postgres: &BTreeSet<String>) -> Vec<String> {
    let only = |engine: &str, one: &BTreeSet<String>, other: &BTreeSet<String>| {
        one.difference(other).map(|line| format!("only {engine} has: {line}")).collect::<Vec<_>>()
    };
    [only("SQLite", sqlite, postgres), only("Postgres", postgres, sqlite)].concat()
}

mod needs_postgres {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn both_engines_have_one_schema() {
        let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
        let mut file = AnyConnection::connect(&sqlite.url).await.unwrap();
        let mut server = AnyConnection::connect(&postgres.url).await.unwrap();
        let on_sqlite = sqlite_catalogue::schema(&mut file).await;
        let on_postgres = postgres_catalogue::schema(&mut server).await;
        assert!(on_sqlite.len() > 200, "only {} lines were found", on_sqlite.len());
        let differences = differences(&on_sqlite, &on_postgres);
        assert!(differences.is_empty(), "the engines differ:\n{}", differences.join("\n"));
    }

    /// The comparison sees each of the things that can differ.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_difference_is_seen() {
        let sqlite = World::sqlite().await;
        let mut file = AnyConnection::connect(&sqlite.url).await.unwrap();
        let on_sqlite = sqlite_catalogue::schema(&mut file).await;
        for (change, seen) in [
            ("ALTER TABLE delivery ADD COLUMN colour TEXT", "delivery.colour text null"),
            ("ALTER TABLE delivery ALTER COLUMN note SET NOT NULL", "delivery.note text filled"),
            ("ALTER TABLE delivery ALTER COLUMN note TYPE BIGINT USING 0", "delivery.note number null"),
            (
                "ALTER TABLE delivery ALTER COLUMN attempts SET DEFAULT 1",
                "delivery.attempts number filled default \"1\"",
            ),
            ("ALTER TABLE vote DROP CONSTRAINT vote_pkey", "vote PRIMARY KEY (subscriber, tool)"),
            (
                "ALTER TABLE issue_comparison DROP CONSTRAINT issue_comparison_issue_slug_key",
                "issue_comparison UNIQUE (issue, slug)",
            ),
            (
                "ALTER TABLE comparison DROP CONSTRAINT comparison_featured_in_fkey",
                "comparison FOREIGN KEY (featured_in)",
            ),
            ("ALTER TABLE delivery DROP CONSTRAINT delivery_held", "delivery CHECK \"delivery_held\""),
            (
                "ALTER TABLE delivery RENAME CONSTRAINT delivery_held TO delivery_waits",
                "delivery CHECK \"delivery_waits\"",
            ),
            (
                "ALTER TABLE vote DROP CONSTRAINT vote_stance_check, ADD CHECK (stance IN ('ship', 'wait'))",
                "vote CHECK \"\" 'ship' 'wait' stance",
            ),
            ("DROP INDEX notice_of", "INDEX notice_of ON notice (subscriber)"),
            (
                "DROP INDEX delivery_due; CREATE INDEX delivery_due ON delivery (issue, due_at, subscriber)",
                "INDEX delivery_due",
            ),
            (
                "DROP INDEX pending_by_age; CREATE INDEX pending_by_age ON pending (asked_at DESC)",
                "(asked_at DESC)",
            ),
            (
                "DROP INDEX pending_by_age; CREATE UNIQUE INDEX pending_by_age ON pending (asked_at)",
                "UNIQUE INDEX pending_by_age",
            ),
        ] {
            let postgres = World::postgres().await;
            let mut server = AnyConnection::connect(&postgres.url).await.unwrap();
            sqlx::raw_sql(change).execute(&mut server).await.unwrap();
            let differences = differences(&on_sqlite, &postgres_catalogue::schema(&mut server).await);
            assert!(differences.iter().any(|line| line.contains(seen)), "{change}: {differences:?}");
        }
    }
}

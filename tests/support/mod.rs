//! What the stories of all binaries share; each binary compiles it once.
#![allow(dead_code, reason = "every binary uses the part it needs")]

pub mod faulty;
pub mod house;
pub mod mail;
pub mod peer;
pub mod programs;
pub mod served;
pub mod sink;
pub mod site;
pub mod world;

/// Each story once on SQLite and once on Postgres: whatever the store promises, it promises on both.
#[allow(unused_macros, reason = "every binary uses the part it needs")]
macro_rules! contract {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(super::World::sqlite().await).await;
            })*
        }
        mod needs_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(super::World::postgres().await).await;
            })*
        }
    };
}

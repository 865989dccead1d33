//! The store on both engines: every verb, and what rests on it. Stories in a module `needs_postgres` need a server.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod contract;

mod db {
    mod locks;
    mod opening;
    mod query_plans;
    mod schemas;
    mod upgrade;
}

mod issue {
    mod choices;
    mod public;
    mod retention;
    mod subject_test;
}

mod queue {
    mod notices;
}

mod reader {
    mod address_change;
    mod signup;
    mod unsubscribe;
    mod votes;
}

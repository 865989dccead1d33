//! Weekly verdicts: the week's comparisons of tools become one letter, delivered to everyone who
//! asked for it.
//!
//! # The way data flows
//!
//! ```text
//! sources → pick → compose → render → enqueue ──(one commit)── claim → deliver → record → report
//!                                      the queue is the only joint
//! ```
//!
//! [`publish::run`] is the left half: it reads what [`letter::sources`] brought into the [`store`],
//! chooses with [`letter::pick`], puts words to it with [`letter::compose`], renders once with
//! [`letter::render`], cuts the result into a [`mail::Stencil`] and enqueues one delivery for every
//! reader. [`worker::Deliverer::tick`] is the right half, whoever delivers: a [`delivery::pass`]
//! records what is finished and claims what comes next in one commit
//! ([`store::Store::record_and_claim_ahead`]), fills a stencil per reader and hands it to a relay
//! session of [`mail`]. What the relay says becomes a transition in
//! [`delivery::outcome::transition`], and the row says why.
//!
//! # The floors
//!
//! A floor uses the floors below it, never one above; `tests/house/main.rs` reads the source and
//! holds everybody to it.
//!
//! | floor | what it is | the outside world it owns |
//! |---|---|---|
//! | [`cli`] | one file per command group, terminal output, exit codes | the terminal |
//! | [`app`] | builds everything from the settings | |
//! | [`worker`] | the tick that `send`, `serve` and `worker` share, and the loops around it | the clock |
//! | [`publish`] | the run of a week up to the queue | |
//! | [`web`] | pages and links for readers and machines | HTTP (axum, hyper) |
//! | [`subscribers`] | files of readers in and out | CSV |
//! | [`letter`] | sources, pick, compose, render, lint | tera, mrml and HTML (scraper) |
//! | [`texts`] | what pages and notices say, in every language | TOML |
//! | [`templates`] | how letters, notices and pages look: built in, or an operator's files | what tera says of a file |
//! | [`delivery`] | a pass over what is due, relays, outcome → transition | thread priority |
//! | [`mail`] | MIME, headers, DKIM, SMTP sessions, the outbox | SMTP (lettre), signatures (mail-auth, aws-lc-rs) |
//! | [`store`] | every row; a verb is a whole transaction | SQL (sqlx) |
//! | [`config`] | every setting with default and doc | TOML, the environment |
//! | [`domain`] | plain types and pure rules | nothing |
//! | [`private`] | files and folders for their owner alone | |
//! | [`fault`] | where a test may end the process; nothing at all in a binary for use | |
//!
//! # What is true everywhere
//!
//! - **A connection holds at most two claimed deliveries**: the letter on its way, and the next,
//!   which it may ask the relay for but not finish. No final dot leaves before the commit that
//!   records the letter before it and takes the mark of "not begun" off this one; that commit is
//!   also where a reader who has left, or a run that was paused, stops it. So a kill leaves at most
//!   one unknown outcome per connection, and memory does not grow with the list.
//! - **Rules take `now` as an argument** and look at no clock; actions sit at the edges.
//! - **An address prints masked** ([`domain::EmailAddress`]); code that needs it says `expose`.
//!   Tokens, passwords and keys have no `Display` that shows them.
//! - **No transaction is open while a relay answers**, and no letter is sent inside an HTTP
//!   request.
//! - **The pace is rows, too** ([`domain::pace`], [`store::Pacing`]): rates, ramps and slowed
//!   domains hold over restarts and for all workers; a letter that has to wait for its domain's
//!   slot has it as its due time, and keeps nobody waiting behind it.
//! - **A notice is a row as well** ([`domain::notice`]): written in the transaction of what it is
//!   about, claimed before each attempt, and sent by a loop of its own beside any run
//!   ([`worker::NoticeLoop::tick`]). What a relay says of it changes nobody's status.
//! - **A form tells nobody who is on the list** ([`store::Store::sign_up`]): one durable commit and
//!   one answer for every address. Limits are rows ([`domain::signup::Allowance`]) under keyed
//!   hashes.
//! - **A refusal is data**, not an error: it is a [`domain::delivery::Reply`] on the delivery's
//!   row.
//! - **Nothing is absent by accident**: there is no global, and no state in a worker's memory that
//!   a restart would miss (which relay was last unreachable is found out again). The one cache is
//!   of public pages ([`web::PageCache`]); it looks at most a second later whether what it shows
//!   has changed, whoever changed it.
//! - **An operator's templates are sound or nothing starts** ([`app::templates`]): letters, notices
//!   and pages are made with them of full and of empty data before the first reader sees one. A
//!   preview ([`web::preview`]) makes them anew at every save, and changes no row.
//! - **A choice is made when an issue is enqueued** ([`store::Store::enqueue`]): which variant of
//!   the letter a reader gets, from which hour on, or why none, stands on the delivery's row from
//!   that commit on, and a second attempt asks nobody again.
//! - **Who waits for the winner of a test of two subjects is out of every claim's sight**
//!   ([`store::Store::decide_subject_test`]): queued with a due time beyond any date, until the one
//!   commit that names the winner takes that off again. A run without a test asks nothing more of
//!   the ledger.
//! - **Every colour, font and corner of letters and notices follows from `[theme]`**
//!   ([`domain::theme`]); templates name none, and whatever the accent, words have the contrast of
//!   level AA in light and dark.
//! - **A vote has a name as long as its reader has** ([`store::Store::vote`]): in the transaction
//!   in which somebody leaves, their votes' rows go and the totals stay.

pub mod app;
pub mod cli;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod fault;
pub mod letter;
pub mod mail;
pub mod private;
pub mod publish;
pub mod store;
pub mod subscribers;
pub mod templates;
pub mod texts;
pub mod web;
pub mod worker;

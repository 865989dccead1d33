//! The pages that readers and machines ask for over HTTP. Nothing of HTTP lives outside this room.
//!
//! What is absent: a GET that changes something, since mail scanners follow every link (promise
//! P10); a session and a cookie, since whatever changes something shows a keyed token in its path
//! ([`Authority`]); and a token in a log, where a request stands by its route's pattern and never
//! by its path.
//!
//! A request walks from `server` (its connection, its limits) through `router` to a handler in
//! `public`, `signup` or `reader`, and its answer through `render` back.
//!
//! | room | what it owns |
//! |---|---|
//! | `state` | what every handler is given |
//! | `route`, `router` | every route as a row of a table, and what lies around the handlers |
//! | `server` | connections, the limits and headers of every request, who is asking |
//! | `render` | templates, texts and data become HTML; refusals become pages |
//! | `public` | what is the same for everybody: archive, comparisons, feeds, sitemap |
//! | `signup` | the form, the endpoint for other sites, the confirmation |
//! | `reader` | what a reader does by a link of theirs: preferences, unsubscribing, votes |
//! | [`preview`] | the letter on the operator's own screen, by a server of its own |

pub mod preview;
mod public;
mod reader;
mod render;
mod route;
mod router;
mod server;
mod signup;
mod state;

pub use public::page_cache::PageCache;
pub use render::pages::{Pages, PagesError};
pub use route::{Authority, Route};
pub use router::routes;
pub use server::bounds::Bounds;
pub use server::connections::serve;
pub use state::Web;

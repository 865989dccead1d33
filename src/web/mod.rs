//! The pages readers and machines ask for over HTTP. Nothing of HTTP lives outside this room.
//!
//! No GET changes anything: mail scanners follow every link (promise P10). Every POST carries its authority in a keyed
//! token in its path, so no form needs a cookie. A request is logged by its route's pattern, never by its path, which
//! may hold a token.
//!
//! | room | what it owns |
//! |---|---|
//! | `state`, `router` | what every handler is given; every route |
//! | `server` | connections and their bounds, limits and headers of every request, who is asking |
//! | `render` | templates, texts and data become HTML; refusals become pages |
//! | `public` | what is the same for everybody, from memory: archive, comparisons, feeds, sitemap |
//! | `signup` | the form, the endpoint for other sites, the confirmation |
//! | `reader` | what a reader does with a link of their own: preferences, address, unsubscribing, votes |
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

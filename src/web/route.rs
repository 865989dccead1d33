//! A route as data: its path, the methods it takes, and what a request that changes something has
//! to show.
//!
//! A route can't take a POST without saying what gives it the right to ([`Route::post`]), so that a
//! test can walk all of them and try each without.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::MethodRouter;

use crate::domain::token::Purpose;
use crate::web::state::Web;

/// What a request that changes something shows for it. There is no session and there are no
/// cookies: nothing that a browser would send along by itself, so a foreign page can't act in a
/// reader's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authority {
    /// Nothing. Anybody may ask, under limits, and all that comes of it is a notice to the address
    /// that was named.
    Anybody,
    /// A token in the path, made with our key for one reader and this purpose.
    Token(Purpose),
}

/// A path with its handlers.
#[derive(Clone, Debug)]
pub struct Route {
    /// As axum writes it: `/compare/{slug}`.
    pub path: &'static str,
    /// Where there is a GET, HEAD is answered as well.
    pub methods: Vec<&'static str>,
    /// What its POST needs; none without a POST.
    pub authority: Option<Authority>,
    pub(in crate::web) handlers: MethodRouter<Arc<Web>>,
}

impl Route {
    pub(in crate::web) fn at(path: &'static str) -> Self {
        Self { path, methods: Vec::new(), authority: None, handlers: MethodRouter::new() }
    }

    /// Shows, and changes nothing (promise P10).
    pub(in crate::web) fn get<T: 'static>(mut self, handler: impl Handler<T, Arc<Web>>) -> Self {
        self.methods.push("GET");
        self.handlers = self.handlers.get(handler);
        self
    }

    pub(in crate::web) fn post<T: 'static>(
        mut self,
        authority: Authority,
        handler: impl Handler<T, Arc<Web>>,
    ) -> Self {
        self.methods.push("POST");
        self.authority = Some(authority);
        self.handlers = self.handlers.post(handler);
        self
    }

    /// For browsers that ask before a script of another site may send something.
    pub(in crate::web) fn options<T: 'static>(mut self, handler: impl Handler<T, Arc<Web>>) -> Self {
        self.methods.push("OPTIONS");
        self.handlers = self.handlers.options(handler);
        self
    }
}

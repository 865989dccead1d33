//! What holds for every connection and every request, whatever page is asked for: how many and how
//! long, how large a body may be, who is asking, which headers every answer has, and one line in
//! the log for each. And what tells machines that the process is alive.
//!
//! What is absent: TLS, which a proxy in front of us ends; anything about the content of a page;
//! and a client's own word on its address, which counts only if a trusted proxy passed it on.

pub mod bounds;
pub mod client_ip;
pub mod connections;
pub mod guard;
pub mod health;

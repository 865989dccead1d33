//! What is true of every connection and every request, whatever page is asked for.

pub mod bounds;
pub mod client_ip;
pub mod connections;
pub mod guard;
pub mod health;

//! The rules of the house, read from the source itself.

mod addresses;
mod circles;
mod comments;
mod floors;
mod links;
mod names;
mod sizes;
mod source;
mod stories;

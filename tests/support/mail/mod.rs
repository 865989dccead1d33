//! Letters and notices: of what they are made, how they are read, and how they are compared.

pub mod cases;
pub mod letters;
pub mod mails;
pub mod markup;

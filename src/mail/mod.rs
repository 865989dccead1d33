//! MIME, headers, and SMTP through lettre; the outbox.

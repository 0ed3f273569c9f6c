//! Connections, admission, and the one task that owns each conference.

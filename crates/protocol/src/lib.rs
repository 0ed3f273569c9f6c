//! What a client says and hears, and which viewer may hear which event.

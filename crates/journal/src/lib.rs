//! Keeps events in order, durably, and gives them back.

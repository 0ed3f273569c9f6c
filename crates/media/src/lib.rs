//! Makes the peers and forwards packets until reality matches the stage.

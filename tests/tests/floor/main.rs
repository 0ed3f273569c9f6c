//! The floor on the packets: a real server, real signalling, real WebRTC, and rooms that never stop sending.

mod door;
mod grants;
mod hall;
mod health;
mod links;
mod microphones;
mod presents;
mod sessions;
mod thirteen;

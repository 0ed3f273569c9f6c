//! The limit: one thread, one `send()` a client, and nothing else.

use super::socket::server_text;
use anyhow::{Context, Result};
use std::{
    io::{BufRead, BufReader, ErrorKind, Write},
    net::{TcpListener, TcpStream},
};

/// `ADDRESS CLIENTS`: takes so many connections, then one more that says what the others are to get, a text a line.
pub fn run(arguments: &[String]) -> Result<()> {
    let [address, clients] = arguments else {
        anyhow::bail!("fanout-bare ADDRESS CLIENTS");
    };
    let listener = TcpListener::bind(address)?;
    let clients: usize = clients.parse()?;
    let mut listening: Vec<TcpStream> = Vec::with_capacity(clients);
    while listening.len() < clients {
        let stream = listener.accept()?.0;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        listening.push(stream);
    }
    let says = BufReader::new(listener.accept()?.0);
    for text in says.lines() {
        let frame = server_text(&text?);
        for stream in &mut listening {
            match stream.write(&frame) {
                Ok(sent) if sent == frame.len() => {}
                Ok(_) => anyhow::bail!("a client does not read"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    anyhow::bail!("a client does not read")
                }
                Err(error) => return Err(error).context("send"),
            }
        }
    }
    Ok(())
}

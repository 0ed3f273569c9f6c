//! The command line.

use crate::alarms::AlarmFlags;
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Coordination server for formal conferences of many rooms.
///
/// Without a task it runs the demo conference on this machine and prints its links.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Option<Task>,
    #[command(flatten)]
    pub settings: Flags,
}

const EXAMPLES: &str = "\
Examples:
  diemcau                                            the demo conference on http://127.0.0.1:8080
  diemcau --lan --listen 0.0.0.0:8443                the demo for other machines, by HTTPS
  diemcau links --demo --json                        the demo's links, for scripts
  diemcau check-config hoinghi.toml                  is this conference complete?
  diemcau new hoinghi.toml --data /srv/hoinghi       begin a conference of your own, print its links
  diemcau serve --data /srv/hoinghi --lan --listen 0.0.0.0:8443
  diemcau endpoint --link 'http://127.0.0.1:8080/site#TOKEN'   a site without a browser";

/// Settings by flag or environment. They win over the settings file.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Run the demo conference, in its own folder below the data folder
    #[arg(long, global = true, env = "DIEMCAU_DEMO")]
    pub demo: bool,
    /// The settings file (see config/default.toml)
    #[arg(long, global = true, env = "DIEMCAU_SETTINGS", value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// The folder that holds the whole state
    #[arg(long, global = true, env = "DIEMCAU_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A folder on another disk for a second copy of the record
    #[arg(long, global = true, env = "DIEMCAU_MIRROR", value_name = "DIR")]
    pub mirror: Option<PathBuf>,
    /// Where pages and control are served
    #[arg(long, global = true, env = "DIEMCAU_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// The one port for picture and sound, UDP and TCP
    #[arg(long, global = true, env = "DIEMCAU_MEDIA_PORT", value_name = "PORT")]
    pub media_port: Option<u16>,
    /// Serve HTTPS with this installation's own authority
    #[arg(long, global = true, env = "DIEMCAU_LAN")]
    pub lan: bool,
    /// What is logged
    #[arg(long, global = true, env = "DIEMCAU_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// When something is told to be wrong with a site
    #[command(flatten)]
    pub alarm: AlarmFlags,
}

#[derive(Debug, Subcommand)]
pub enum Task {
    /// Serve the conference of the data folder
    Serve,
    /// Begin a conference from its file, and print its links
    New {
        /// The conference's file (see config/demo.toml)
        #[arg(value_name = "CONFIG.toml")]
        conference: PathBuf,
    },
    /// Print the links of the conference
    Links {
        /// As an array of role, site and url
        #[arg(long)]
        json: bool,
    },
    /// Print the public key that the record is signed with, for the minutes and for diemcau-verify
    Key,
    /// Check a conference's file, or the demo's without one
    CheckConfig {
        /// The conference's file
        #[arg(value_name = "CONFIG.toml")]
        file: Option<PathBuf>,
    },
    /// Join as one or several sites without a browser
    Endpoint(Endpoint),
}

/// What `diemcau endpoint` takes.
#[derive(Debug, Args)]
pub struct Endpoint {
    /// The link of a site's room or standby; several may be given
    #[arg(long, required = true, value_name = "URL")]
    pub link: Vec<String>,
    /// Believe this authority (PEM), for https links
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Believe any certificate
    #[arg(long)]
    pub insecure: bool,
    /// Where this machine's key is kept, by which the server knows it again
    /// [default: $XDG_STATE_HOME/diemcau or ~/.local/state/diemcau]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// The site's PIN, when it has one
    #[arg(
        long,
        env = "DIEMCAU_PIN",
        hide_env_values = true,
        value_name = "DIGITS"
    )]
    pub pin: Option<String>,
    /// Receive every site's tile too, not the programme alone
    #[arg(long)]
    pub tiles: bool,
    /// Ask for the floor once, on this topic
    #[arg(long, value_name = "TOPIC")]
    pub ask_floor: Option<String>,
    /// End the own turn after so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub speak_for: Option<u64>,
}

//! A device, known by the key it holds.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;
use ts_rs::TS;

/// SHA-256 of a device's public key (a point of P-256, uncompressed, 65 bytes): its name, on the wire and in the journal
/// 64 hex digits. It opens nothing: a device proves that it holds the key at every start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct DeviceId(pub [u8; 32]);

/// What was read is no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a device is named by 64 lower-case hex digits")]
pub struct NoDevice;

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({self})")
    }
}

impl FromStr for DeviceId {
    type Err = NoDevice;

    fn from_str(text: &str) -> Result<Self, NoDevice> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NoDevice);
        }
        let mut id = [0; 32];
        for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(id))
    }
}

fn digit(byte: u8) -> Result<u8, NoDevice> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(NoDevice),
    }
}

impl TryFrom<String> for DeviceId {
    type Error = NoDevice;

    fn try_from(text: String) -> Result<Self, NoDevice> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(device: DeviceId) -> Self {
        device.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_written_and_read_the_same() {
        let id = DeviceId(std::array::from_fn(|at| at as u8 * 7));
        assert_eq!(id.to_string().parse(), Ok(id));
        let text = id.to_string();
        for bad in [
            "",
            "00",
            &text[1..],
            &text.to_uppercase(),
            &format!("{}g", &text[1..]),
        ] {
            assert_eq!(bad.parse::<DeviceId>(), Err(NoDevice), "{bad}");
        }
    }
}

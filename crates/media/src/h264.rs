//! What forwarding must know of an H.264 payload (RFC 6184): whether a key frame begins in it.

use crate::vp8::Vp8;

const SEQUENCE_PARAMETERS: u8 = 7;
const AGGREGATE: u8 = 24;
const FRAGMENT: u8 = 28;
/// The highest type of a packet of packetization mode 1.
const TYPE_MAX: u8 = FRAGMENT;

/// Reads the first bytes; `None` if the payload is not H.264 of packetization mode 1. It has no numbers of its own, so
/// what is read is a picture that keeps those it came with. A key frame begins with its sequence parameters: without
/// them nobody could decode it.
pub fn read(payload: &[u8]) -> Option<Vp8> {
    let first = *payload.first()?;
    let key_frame = match first & 0x1f {
        0 => return None,
        AGGREGATE => aggregate(payload.get(1..)?)?,
        FRAGMENT => {
            let header = *payload.get(1)?;
            header & 0x80 != 0 && header & 0x1f == SEQUENCE_PARAMETERS
        }
        kind if kind > TYPE_MAX => return None,
        kind => kind == SEQUENCE_PARAMETERS,
    };
    // The first bit is always zero (RFC 6184, 1.3).
    (first & 0x80 == 0).then(|| Vp8::without_numbers(key_frame))
}

/// Whether one of the aggregated units is sequence parameters; `None` if they do not fill the payload.
fn aggregate(mut rest: &[u8]) -> Option<bool> {
    let mut found = false;
    while let [high, low, units @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let unit = units.get(..length)?;
        found |= unit.first()? & 0x1f == SEQUENCE_PARAMETERS;
        rest = &units[length..];
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_frame(payload: &[u8]) -> Option<bool> {
        read(payload).map(|read| read.key_frame)
    }

    #[test]
    fn a_key_frame_begins_with_its_sequence_parameters() {
        assert_eq!(key_frame(&[0x67, 1]), Some(true));
        assert_eq!(key_frame(&[0x65, 1]), Some(false), "a slice behind them");
        assert_eq!(key_frame(&[0x41, 1]), Some(false));
        let both = [0x78, 0, 2, 0x67, 1, 0, 1, 0x68];
        assert_eq!(key_frame(&both), Some(true));
        assert_eq!(key_frame(&[0x78, 0, 1, 0x68]), Some(false));
        assert_eq!(key_frame(&[0x7c, 0x87]), Some(true));
        assert_eq!(key_frame(&[0x7c, 0x07]), Some(false), "a later fragment");
        assert_eq!(key_frame(&[0x7c, 0x85]), Some(false));
    }

    #[test]
    fn what_is_no_payload_is_told() {
        for bad in [
            &[][..],
            &[0],
            &[0x7d, 1],
            &[0xe7],
            &[0x78, 0, 9, 1],
            &[0x78, 0, 0],
            &[0x78, 0],
            &[0x7c],
        ] {
            assert_eq!(key_frame(bad), None, "{bad:?}");
        }
    }
}

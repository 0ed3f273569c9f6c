//! In how many pieces a client sends one message. Pieces count towards no allowance, and those without a byte towards no
//! size either: they would be read without end, and no message ever be whole.

/// Pieces of one message. A client that sends them as it makes them has a few; ours send one.
const FRAGMENTS_MAX: u32 = 64;
/// The longest header of a frame, without its mask.
const HEADER_MAX: usize = 10;
/// The bytes of a mask.
const MASK: u64 = 4;

/// Follows a client's frames by their headers (RFC 6455, section 5.2).
#[derive(Debug, Default)]
pub struct Fragments {
    header: [u8; HEADER_MAX],
    /// How much of the header has come.
    got: usize,
    /// How much of the frame is still to come behind its header.
    rest: u64,
    /// Pieces of the message that is not whole.
    pieces: u32,
}

impl Fragments {
    /// Looks at what has come; false when a message has too many pieces.
    #[must_use]
    pub fn follow(&mut self, mut bytes: &[u8]) -> bool {
        let mut fits = true;
        loop {
            let behind =
                usize::try_from(self.rest).map_or(bytes.len(), |rest| rest.min(bytes.len()));
            self.rest -= behind as u64;
            let Some((byte, more)) = bytes[behind..].split_first() else {
                return fits;
            };
            bytes = more;
            self.header[self.got] = *byte;
            self.got += 1;
            if let Some(rest) = rest_behind(&self.header[..self.got]) {
                self.rest = rest;
                self.got = 0;
                fits &= self.counts();
            }
        }
    }

    /// Counts the frame whose header is whole. Control frames may stand between the pieces, and are none.
    fn counts(&mut self) -> bool {
        let (is_last, is_control) = (self.header[0] & 0x80 != 0, self.header[0] & 0x08 != 0);
        if !is_control {
            self.pieces = match is_last {
                true => 0,
                false => self.pieces.saturating_add(1),
            };
        }
        self.pieces <= FRAGMENTS_MAX
    }
}

/// How many bytes follow a header; none while it is not whole.
fn rest_behind(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let length = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes(header.get(2..4)?.try_into().ok()?)),
        127 => u64::from_be_bytes(header.get(2..10)?.try_into().ok()?),
        short => u64::from(short),
    };
    let mask = if second & 0x80 == 0 { 0 } else { MASK };
    Some(length.saturating_add(mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIN: u8 = 0x80;
    const TEXT: u8 = 0x01;
    const CONTINUED: u8 = 0x00;
    const PING: u8 = 0x09;

    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut frame = vec![first];
        match payload {
            0..126 => frame.push(0x80 | payload as u8),
            126..65_536 => {
                frame.push(0x80 | 126);
                frame.extend((payload as u16).to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((payload as u64).to_be_bytes());
            }
        }
        // Were it taken for a header, it would be a piece.
        frame.extend(vec![0; 4 + payload]);
        frame
    }

    fn message(pieces: u32, payload: usize) -> Vec<u8> {
        let mut message = frame(TEXT, payload);
        for _ in 1..pieces {
            message.extend(frame(PING | FIN, 125));
            message.extend(frame(CONTINUED, payload));
        }
        message.extend(frame(CONTINUED | FIN, payload));
        message
    }

    #[test]
    fn a_message_has_so_many_pieces_and_no_more_whatever_their_length_and_however_they_come() {
        for payload in [0, 1, 126, 65_536] {
            for at_once in [1, 7, 512] {
                let mut fragments = Fragments::default();
                let mut takes =
                    |bytes: &[u8]| bytes.chunks(at_once).all(|some| fragments.follow(some));
                // One after the other, as many as there may be.
                assert!((0..3).all(|_| takes(&message(FRAGMENTS_MAX, payload))));
                assert!(takes(&frame(TEXT | FIN, payload)));
                assert!(!takes(&message(FRAGMENTS_MAX + 1, payload)), "{payload}");
            }
        }
    }

    #[test]
    fn a_frame_that_claims_to_be_longer_than_anything_is_followed_to_no_end() {
        let mut fragments = Fragments::default();
        assert!(fragments.follow(&[TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
        assert!(fragments.follow(&[0; 4_096]));
    }
}

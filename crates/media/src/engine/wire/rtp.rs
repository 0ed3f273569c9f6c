//! The header of an RTP packet (RFC 3550, 5.1) and its extensions (RFC 8285), read where they lie.

const FIXED_BYTES: usize = 12;
const VERSION: u8 = 2;
/// What stands before extensions with headers of one byte (RFC 8285, 4.2).
const SHORT_FORM: u16 = 0xbede;
/// And of two bytes; the last four bits mean nothing (RFC 8285, 4.3).
const LONG_FORM: u16 = 0x100;
/// In the short form, the number that ends it.
const SHORT_END: u8 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub payload_type: u8,
    pub marker: bool,
    pub seq: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Bytes before the payload.
    pub length: usize,
    is_padded: bool,
    form: Form,
    extensions_from: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// None, or one that nobody negotiated.
    Unread,
    Short,
    Long,
}

/// The extensions of a packet, each with its number.
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

impl Header {
    /// `None` for what is no packet.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let (fixed, _) = packet.split_first_chunk::<FIXED_BYTES>()?;
        let [flags, kind, s0, s1, t0, t1, t2, t3, n0, n1, n2, n3] = *fixed;
        if flags >> 6 != VERSION {
            return None;
        }
        let sources = usize::from(flags & 0x0f);
        let extensions = FIXED_BYTES + 4 * sources;
        let (form, from, length) = match flags & 0x10 {
            0 => (Form::Unread, extensions, extensions),
            _ => {
                let [p0, p1, l0, l1] = *packet.get(extensions..)?.first_chunk()?;
                let from = extensions + 4;
                let words = usize::from(u16::from_be_bytes([l0, l1]));
                let form = Form::of(u16::from_be_bytes([p0, p1]));
                (form, from, from + 4 * words)
            }
        };
        (length <= packet.len()).then_some(Self {
            payload_type: kind & 0x7f,
            marker: kind & 0x80 != 0,
            seq: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([n0, n1, n2, n3]),
            length,
            is_padded: flags & 0x20 != 0,
            form,
            extensions_from: from,
        })
    }

    /// The extensions of the packet this was read from.
    pub fn extensions<'a>(&self, packet: &'a [u8]) -> Extensions<'a> {
        let lie = packet.get(self.extensions_from..self.length);
        Extensions {
            form: self.form,
            rest: lie.unwrap_or_default(),
        }
    }

    /// Where the payload of a readable packet ends; `None` if its padding, which the last byte counts, is longer than it.
    pub fn payload_end(&self, packet: &[u8]) -> Option<usize> {
        let padding = match self.is_padded {
            true => usize::from(*packet.last()?),
            false => return Some(packet.len()),
        };
        let end = packet.len().checked_sub(padding)?;
        (padding > 0 && end >= self.length).then_some(end)
    }
}

impl Form {
    fn of(profile: u16) -> Self {
        match profile {
            SHORT_FORM => Self::Short,
            _ if profile >> 4 == LONG_FORM => Self::Long,
            _ => Self::Unread,
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // Zeros between are padding.
        let begins = self.rest.iter().position(|byte| *byte != 0)?;
        let rest = self.rest.get(begins..)?;
        self.rest = &[];
        let (id, length, body) = match (self.form, rest) {
            (Form::Short, [first, body @ ..]) => (first >> 4, usize::from(first & 0x0f) + 1, body),
            (Form::Long, [id, length, body @ ..]) => (*id, usize::from(*length), body),
            (Form::Unread | Form::Short | Form::Long, _) => return None,
        };
        if self.form == Form::Short && (id == 0 || id == SHORT_END) {
            return None;
        }
        let (value, rest) = body.split_at_checked(length)?;
        self.rest = rest;
        Some((id, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Header, Vec<(u8, Vec<u8>)>);

    fn read(packet: &[u8]) -> Option<Read> {
        let header = Header::read(packet)?;
        let extensions = header.extensions(packet);
        let extensions = extensions.map(|(id, value)| (id, value.to_vec()));
        Some((header, extensions.collect()))
    }

    fn fixed(flags: u8) -> Vec<u8> {
        let mut packet = vec![flags, 0x80 | 96];
        packet.extend([1, 2, 0, 0, 0, 9, 1, 2, 3, 4]);
        packet
    }

    #[test]
    fn a_plain_header_is_read() {
        let (header, extensions) = read(&[&fixed(0x80)[..], b"payload"].concat()).unwrap();
        assert_eq!((header.payload_type, header.marker), (96, true));
        let numbers = (header.seq, header.timestamp, header.ssrc);
        assert_eq!(numbers, (0x102, 9, 0x0102_0304));
        assert_eq!((header.length, extensions), (12, vec![]));
        assert_eq!(Header::read(&fixed(0x40)), None, "another version");
        assert_eq!(Header::read(&fixed(0x80)[..11]), None, "too short");
        assert_eq!(
            Header::read(&fixed(0x81)),
            None,
            "sources that are not there"
        );
    }

    #[test]
    fn extensions_are_read_in_both_forms_behind_the_sources() {
        let short = [0xbe, 0xde, 0, 2, 0x10, 7, 0, 0x31, 8, 9, 0, 0];
        let packet = [&fixed(0x91)[..], &[5; 4], &short, b"p"].concat();
        let (header, extensions) = read(&packet).unwrap();
        assert_eq!(header.length, 12 + 4 + 12);
        assert_eq!(extensions, [(1, vec![7]), (3, vec![8, 9])]);
        let long = [0x10, 5, 0, 2, 1, 0, 0, 30, 2, 8, 9, 0];
        let (_, extensions) = read(&[&fixed(0x90)[..], &long].concat()).unwrap();
        assert_eq!(extensions, [(1, vec![]), (30, vec![8, 9])]);
        let other = [0x12, 0x34, 0, 1, 0x10, 7, 0, 0];
        let (header, extensions) = read(&[&fixed(0x90)[..], &other].concat()).unwrap();
        assert_eq!((header.length, extensions), (20, vec![]));
    }

    #[test]
    fn a_broken_extension_ends_them_and_a_length_that_is_none_is_no_packet() {
        for (bytes, known) in [
            ([0x10, 7, 0xf0, 1], 1),
            ([0x10, 7, 0x01, 1], 1),
            ([0x1f, 7, 7, 7], 0),
        ] {
            let packet = [&fixed(0x90)[..], &[0xbe, 0xde, 0, 1], &bytes].concat();
            assert_eq!(read(&packet).unwrap().1.len(), known, "{bytes:?}");
            assert_eq!(read(&packet[..19]), None);
        }
    }

    #[test]
    fn padding_is_no_payload() {
        let end = |bytes: &[u8]| {
            let packet = [&fixed(0xa0)[..], bytes].concat();
            Header::read(&packet).unwrap().payload_end(&packet)
        };
        assert_eq!(end(&[9, 0, 2]), Some(13));
        assert_eq!(end(&[0, 2]), Some(12), "nothing but padding");
        assert_eq!(end(&[0, 3]), None);
        assert_eq!(end(&[9, 0]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_packet_makes_it_stumble(mut packet in proptest::collection::vec(0_u8.., 0..80), form: bool) {
            if let Some(first) = packet.first_mut() {
                *first = 0x80 | *first & 0x33;
            }
            if packet.len() > 16 {
                packet[12..14].copy_from_slice(if form { &[0xbe, 0xde] } else { &[0x10, 0] });
            }
            if let Some((header, extensions)) = read(&packet) {
                let end = header.payload_end(&packet);
                proptest::prop_assert!(end.is_none_or(|end| (header.length..=packet.len()).contains(&end)));
                proptest::prop_assert!(extensions.len() <= packet.len());
            }
        }
    }
}

//! One text for clients, encoded and framed once, however many it goes to.

use bytes::{BufMut, Bytes, BytesMut};
use diemcau_model::Millis;
use diemcau_protocol::{Me, ServerFrame};
use serde::Serialize;
use std::{borrow::Cow, io, sync::Arc};
use tracing::error;

/// A text message as it stands on the wire: what a server sends is not masked (RFC 6455, section 5.1), so the same
/// bytes go to every client.
#[derive(Clone, Debug)]
pub struct Frame {
    wire: Bytes,
    text_at: usize,
    /// What stands behind `wire` and is not this frame's alone.
    shared: Option<EncodedView>,
}

/// FIN and the opcode of a text (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
/// The longest header of a frame without a mask.
const HEADER_MAX: usize = 10;

impl Frame {
    /// Encodes and frames what the server says.
    #[must_use]
    pub fn of(frame: &ServerFrame) -> Self {
        Self::framed(512, None, |text| encode(text, frame))
    }

    /// A `welcome` before a view that is encoded already: that is nearly all of it, and the same for many, who may not
    /// read it at once.
    #[must_use]
    pub(crate) fn welcome(me: &Me, seq: u64, now: Millis, view: &EncodedView) -> Self {
        Self::framed(512, Some(view.clone()), |text| {
            text.put_slice(br#"{"type":"welcome","me":"#);
            encode(text, me);
            text.put_slice(format!(r#","seq":{seq},"now":{},"view":"#, now.0).as_bytes());
        })
    }

    fn framed(
        capacity: usize,
        shared: Option<EncodedView>,
        write: impl FnOnce(&mut BytesMut),
    ) -> Self {
        let mut wire = BytesMut::with_capacity(capacity);
        // Room for the header, which is known once the text is: it is laid against the text's beginning.
        wire.put_bytes(0, HEADER_MAX);
        write(&mut wire);
        let behind = shared.as_ref().map_or(0, |shared| shared.len);
        let (header, length) = header(wire.len() - HEADER_MAX + behind);
        let skip = HEADER_MAX - length;
        wire[skip..HEADER_MAX].copy_from_slice(&header[..length]);
        Self {
            wire: wire.split_off(skip).freeze(),
            text_at: length,
            shared,
        }
    }

    /// Bytes that are framed already: control frames of the transport itself.
    #[must_use]
    pub fn raw(wire: Bytes) -> Self {
        Self {
            wire,
            text_at: 0,
            shared: None,
        }
    }

    /// How many bytes it has on the wire, header and text.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "no frame is empty")]
    pub fn len(&self) -> usize {
        self.wire.len() + self.shared.as_ref().map_or(0, |shared| shared.len)
    }

    /// What stands on the wire from byte `from` on: as much of it as lies in one piece, and nothing at the end alone.
    #[must_use]
    pub fn wire(&self, from: usize) -> &[u8] {
        match (self.wire.get(from..), &self.shared) {
            (Some(rest), _) if !rest.is_empty() => rest,
            (_, Some(shared)) => shared.rest(from.saturating_sub(self.wire.len())),
            (_, None) => &[],
        }
    }

    /// Whether the text begins so, without a copy of it. As far as it is the frame's own: a `welcome` is to the view's name.
    #[must_use]
    pub fn begins_with(&self, begin: &[u8]) -> bool {
        self.wire[self.text_at..].starts_with(begin)
    }

    /// The text alone, as UTF-8.
    #[must_use]
    pub fn text(&self) -> Cow<'_, [u8]> {
        let own = &self.wire[self.text_at..];
        match &self.shared {
            None => Cow::Borrowed(own),
            Some(shared) => Cow::Owned([own, &shared.pieces.concat()].concat()),
        }
    }
}

/// A view as it stands at the end of a `welcome`, in pieces that other views may share.
#[derive(Clone, Debug)]
pub(crate) struct EncodedView {
    pieces: Arc<[Bytes]>,
    len: usize,
}

impl EncodedView {
    /// Of its pieces, the end of the `welcome` among them.
    pub(crate) fn of(pieces: Vec<Bytes>) -> Self {
        Self {
            len: pieces.iter().map(Bytes::len).sum(),
            pieces: pieces.into(),
        }
    }

    fn rest(&self, mut from: usize) -> &[u8] {
        for piece in &*self.pieces {
            match piece.get(from..) {
                Some(rest) if !rest.is_empty() => return rest,
                Some(_) | None => from -= piece.len(),
            }
        }
        &[]
    }
}

/// Our own types always encode; a broken frame would be seen at once in the tests.
pub(crate) fn encode(text: &mut BytesMut, value: &impl Serialize) {
    if let Err(failure) = serde_json::to_writer(text.writer(), value) {
        error!(
            error = &failure as &dyn std::error::Error,
            "a frame cannot be encoded"
        );
    }
}

/// The header of a text of `length` bytes, and its own length.
fn header(length: usize) -> ([u8; HEADER_MAX], usize) {
    let mut header = [0; HEADER_MAX];
    header[0] = TEXT;
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        header[1] = short;
        (header, 2)
    } else if let Ok(medium) = u16::try_from(length) {
        header[1] = 126;
        header[2..4].copy_from_slice(&medium.to_be_bytes());
        (header, 4)
    } else {
        header[1] = 127;
        header[2..10].copy_from_slice(&(length as u64).to_be_bytes());
        (header, 10)
    }
}

/// Bytes of a frame that are written in one go: the kernel and the cipher take their time to copy, and others are to have
/// theirs between.
pub const SEND_AT_ONCE: usize = 64 * 1024;

/// Where a connection's frames go. Written to from whichever task has something to say; the outlet before it sees to
/// it that they do not do so at once.
pub trait Wire: Send + Sync {
    /// Writes of a frame's bytes what is taken without waiting, beginning with byte `from`; to a socket no more than
    /// `SEND_AT_ONCE`.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is taken now; anything else: the connection is gone.
    fn try_send(&self, frame: &Frame, from: usize) -> io::Result<usize>;

    /// Passes on what the wire itself keeps of frames it has taken: a wire that encrypts keeps something.
    ///
    /// # Errors
    /// `WouldBlock` when something is still kept; anything else: the connection is gone.
    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Waits until more may be taken. Asked by one task at a time.
    fn poll_writable(
        &self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_shortest_header_that_holds_its_length() {
        for (length, expected) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xff, 0xff]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let (header, size) = header(length);
            assert_eq!(&header[..size], expected, "{length}");
        }
    }

    #[test]
    fn the_text_is_the_frame_behind_its_header() {
        let frame = Frame::of(&ServerFrame::Stopping);
        assert_eq!(&*frame.text(), br#"{"type":"stopping"}"#);
        assert_eq!(&frame.wire(0)[..2], [0x81, 19]);
        assert_eq!(frame.wire(2), &*frame.text());
        let long = Frame::of(&ServerFrame::UplinkAnswer {
            sdp: "x".repeat(70_000),
        });
        assert_eq!(long.wire(1)[0], 127);
        assert!(serde_json::from_slice::<ServerFrame>(&long.text()).is_ok());
    }
}

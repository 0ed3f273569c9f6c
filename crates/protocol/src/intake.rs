//! From the text of a frame to something the rules can decide. Strict: what is not of this protocol is refused.

use crate::{ClientCommand, ClientFrame};
use diemcau_conference::{Command, CommentWords, Headcount, RequestWords};
use diemcau_model::limits;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why a text is not a frame.
#[derive(Debug, Error)]
pub enum BadFrame {
    /// More nested than any frame of this protocol.
    #[error("nested deeper than {} levels", limits::JSON_DEPTH_MAX)]
    TooDeep,
    /// Not JSON, or no frame of this protocol.
    #[error("not a frame of this protocol: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A command id is 1 to 64 characters of `[A-Za-z0-9-]`.
    #[error("a command id is 1 to 64 letters, digits or hyphens")]
    BadId,
}

/// Reads one frame.
///
/// # Errors
/// Why it is none; nothing of it was used.
pub fn decode(text: &str) -> Result<ClientFrame, BadFrame> {
    if depth(text) > limits::JSON_DEPTH_MAX {
        return Err(BadFrame::TooDeep);
    }
    let frame = serde_json::from_str(text)?;
    if let ClientFrame::Command { id, .. } = &frame
        && !is_command_id(id)
    {
        return Err(BadFrame::BadId);
    }
    Ok(frame)
}

/// The id of a command frame that could not be read otherwise, so that its sender learns which one it was.
#[must_use]
pub fn id_of(text: &str) -> Option<String> {
    if depth(text) > limits::JSON_DEPTH_MAX {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    value
        .get("id")?
        .as_str()
        .filter(|id| is_command_id(id))
        .map(str::to_owned)
}

/// What a client asks for, in the words of the rules. Every text is brought to Unicode's NFC: the same name typed
/// on two machines must be the same text.
#[must_use]
pub fn command(asked: ClientCommand) -> Command {
    match asked {
        ClientCommand::StartItem { item, waiting } => Command::StartItem { item, waiting },
        ClientCommand::FinishItem { item } => Command::FinishItem { item },
        ClientCommand::NextItem {
            after,
            expect,
            waiting,
        } => Command::NextItem {
            after,
            expect,
            waiting,
        },
        ClientCommand::MoveItem { item, before } => Command::MoveItem { item, before },
        ClientCommand::SetList { open } => Command::SetList { open },
        ClientCommand::RequestFloor { item, words, about } => Command::RequestFloor {
            item,
            words: request_words(words),
            about,
        },
        ClientCommand::WithdrawRequest { turn } => Command::WithdrawRequest { turn },
        ClientCommand::AcceptRequest { turn } => Command::AcceptRequest { turn },
        ClientCommand::DenyRequest { turn, reason } => Command::DenyRequest {
            turn,
            reason: clean(&reason),
        },
        ClientCommand::MoveRequest { turn, before } => Command::MoveRequest { turn, before },
        ClientCommand::Stage { turns } => Command::Stage { turns },
        ClientCommand::SetReady { turn, ready } => Command::SetReady { turn, ready },
        ClientCommand::Undo { turn } => Command::Undo { turn },
        ClientCommand::KeepTurn { turn } => Command::KeepTurn { turn },
        ClientCommand::SetPriority { on } => Command::SetPriority { on },
        ClientCommand::CloseMicrophones {} => Command::CloseMicrophones,
        ClientCommand::OpenMicrophones {} => Command::OpenMicrophones,
        ClientCommand::ReturnCall { turn } => Command::ReturnCall { turn },
        ClientCommand::TakeChair {} => Command::TakeChair,
        ClientCommand::ReturnChair {} => Command::ReturnChair,
        ClientCommand::StartRollCall {} => Command::StartRollCall,
        ClientCommand::CallNextSite { after } => Command::CallNextSite { after },
        ClientCommand::CallSite { site } => Command::CallSite { site },
        ClientCommand::PassOverSite { site } => Command::PassOverSite { site },
        ClientCommand::EndRollCall {} => Command::EndRollCall,
        ClientCommand::SetHeadcount { site, headcount } => Command::SetHeadcount {
            site,
            headcount: Headcount {
                absent: clean(&headcount.absent),
                ..headcount
            },
        },
        ClientCommand::PromptSite { site, prompt } => Command::PromptSite { site, prompt },
        ClientCommand::PromptDesks { prompt } => Command::PromptDesks { prompt },
        ClientCommand::HandlePrompt { prompt } => Command::HandlePrompt { prompt },
        ClientCommand::PreviewLayout { layout } => Command::PreviewLayout { layout },
        ClientCommand::TakePreview { expect } => Command::TakePreview { expect },
        ClientCommand::SetNotice { text } => Command::SetNotice { text: clean(&text) },
        ClientCommand::ShowParagraph { at } => Command::ShowParagraph { at },
        ClientCommand::SetSpotlight { site } => Command::SetSpotlight { site },
        ClientCommand::SetCarousel { seconds } => Command::SetCarousel { seconds },
        ClientCommand::SetPage { page } => Command::SetPage { page },
        ClientCommand::AskToPresent {} => Command::AskToPresent,
        ClientCommand::LetPresent { seat } => Command::LetPresent { seat },
        ClientCommand::EndPresentation { seat } => Command::EndPresentation { seat },
        ClientCommand::GrantNext { after, expect } => Command::GrantNext { after, expect },
        ClientCommand::Grant { after, turn } => Command::Grant { after, turn },
        ClientCommand::PauseTurn { turn } => Command::PauseTurn { turn },
        ClientCommand::ResumeTurn { turn } => Command::ResumeTurn { turn },
        ClientCommand::ExtendTurn { turn, minutes } => Command::ExtendTurn { turn, minutes },
        ClientCommand::EndTurn { turn } => Command::EndTurn { turn },
        ClientCommand::RevokeTurn { turn } => Command::RevokeTurn { turn },
        ClientCommand::SetHallMicrophone { open } => Command::SetHallMicrophone { open },
        ClientCommand::StartBreak { minutes } => Command::StartBreak { minutes },
        ClientCommand::EndBreak {} => Command::EndBreak,
        ClientCommand::SetBlank { on } => Command::SetBlank { on },
        ClientCommand::SetLayout { layout } => Command::SetLayout { layout },
        ClientCommand::PostComment { kind, words } => Command::PostComment {
            kind,
            words: comment_words(words),
        },
        ClientCommand::HoldComment { comment } => Command::HoldComment { comment },
        ClientCommand::PublishComment { comment } => Command::PublishComment { comment },
        ClientCommand::WithdrawComment { comment } => Command::WithdrawComment { comment },
        ClientCommand::RevokeSeat { seat } => Command::RevokeSeat { seat },
        ClientCommand::AdmitDevice { wait } => Command::AdmitDevice { wait },
        // Who is there the hub sees.
        ClientCommand::RefuseDevice { wait, ban } => Command::RefuseDevice {
            wait,
            ban,
            present: vec![],
        },
        ClientCommand::ExpelSeat { seat, ban } => Command::ExpelSeat {
            seat,
            ban,
            present: vec![],
        },
        ClientCommand::RestoreSeat { seat } => Command::RestoreSeat {
            seat,
            is_there: false,
        },
        ClientCommand::AllowDevice { device } => Command::AllowDevice { device },
    }
}

fn request_words(words: RequestWords) -> RequestWords {
    RequestWords {
        delegate: clean(&words.delegate),
        title: clean(&words.title),
        topic: clean(&words.topic),
        ..words
    }
}

fn comment_words(words: CommentWords) -> CommentWords {
    let (text, proposed) = (clean(&words.text), clean(&words.proposed));
    CommentWords {
        text,
        proposed,
        delegate: clean(&words.delegate),
        ..words
    }
}

fn clean(text: &str) -> String {
    text.trim()
        .nfc()
        .filter(|char| !is_trickery(*char))
        .collect()
}

/// Characters that have no shape of their own but change what stands around them: on a wall they could make a name
/// read as another. Line breaks are text.
fn is_trickery(char: char) -> bool {
    let direction =
        matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    direction || (char.is_control() && !matches!(char, '\n' | '\t'))
}

fn is_command_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The deepest nesting of a JSON text, counted without parsing it.
fn depth(text: &str) -> usize {
    let (mut open, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_the_protocol_is_read() {
        let frame =
            decode(r#"{"type":"command","id":"a-1","command":{"type":"set_list","open":true}}"#)
                .unwrap();
        let asked = ClientCommand::SetList { open: true };
        assert_eq!(
            frame,
            ClientFrame::Command {
                id: "a-1".into(),
                command: asked
            }
        );
    }

    #[test]
    fn what_is_not_of_the_protocol_is_refused() {
        for text in [
            "",
            "[]",
            r#"{"type":"dance"}"#,
            r#"{"type":"join","protocol":1,"token":"x","seat":3}"#,
            r#"{"type":"open_downlink","site":3}"#,
            r#"{"type":"command","id":"","command":{"type":"set_list","open":true}}"#,
            r#"{"type":"command","id":"ok","command":{"type":"set_list","open":true,"site":1}}"#,
            r#"{"type":"command","id":"ok","command":{"type":"set_list"}}"#,
            r#"{"type":"ping","sent":"now"}"#,
            &"[".repeat(100_000),
        ] {
            assert!(decode(text).is_err(), "{text:.60}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_not_read() {
        let nested = |depth: usize| {
            let deep = ["[".repeat(depth - 1), "]".repeat(depth - 1)].concat();
            format!(r#"{{"id":"a1","deep":{deep}}}"#)
        };
        let (most, deep) = (limits::JSON_DEPTH_MAX, r#"{"type":"[[[[\"[[[["}"#);
        assert!(matches!(decode(&nested(most)), Err(BadFrame::Malformed(_))));
        assert!(matches!(decode(&nested(most + 1)), Err(BadFrame::TooDeep)));
        assert_eq!(id_of(&nested(most)).as_deref(), Some("a1"));
        assert_eq!(id_of(&nested(most + 1)), None);
        assert_eq!(depth(deep), 1, "what is quoted is text");
    }

    #[test]
    fn a_bad_command_still_gives_its_id() {
        assert_eq!(
            id_of(r#"{"type":"command","id":"a1","command":{"type":"dance"}}"#).as_deref(),
            Some("a1")
        );
        assert_eq!(id_of(r#"{"type":"command","id":"a b"}"#), None);
    }

    #[test]
    fn a_name_cannot_be_turned_around() {
        assert_eq!(clean(" Nguyễn\u{202e}\u{7} Văn\nA "), "Nguyễn Văn\nA");
    }

    #[test]
    fn a_name_typed_in_pieces_is_put_together() {
        let typed: String = "Ngô Quốc Đạt".nfd().collect();
        let words = RequestWords {
            speech: diemcau_conference::SpeechType::Contribution,
            delegate: typed,
            title: String::new(),
            topic: String::new(),
            paragraph: None,
            minutes: None,
        };
        let (item, about) = (None, None);
        let asked = ClientCommand::RequestFloor { item, words, about };
        let Command::RequestFloor { words, .. } = command(asked) else {
            panic!("another command")
        };
        assert_eq!(words.delegate, "Ngô Quốc Đạt");
    }
}

//! Every limit has a name, and a sentence saying what happens at it.

/// Sites of one conference. A longer list in the settings file is refused.
pub const SITES_MAX: usize = 64;
/// Seats of one conference. A longer list in the settings file is refused.
pub const SEATS_MAX: usize = 2_000;
/// Waiting requests of one item; the next is refused with `queue_full`.
pub const QUEUE_MAX: usize = 64;
/// Waiting requests of one site in one item; the next is refused with `queue_full`.
pub const QUEUE_PER_SITE_MAX: usize = 4;
/// Requests for the floor in the whole conference, so that the speeches held are bounded; the next is refused with
/// `queue_full`.
pub const TURNS_MAX: u32 = 5_000;
/// Of them those of one site, or of one desk, withdrawn ones too: so that nobody uses them up for all. The next is refused
/// with `share_used`.
pub const TURNS_SHARE: u32 = 500;
/// Seconds without any connection after which a seat presents no longer: a cut line is no reason to ask again.
pub const PRESENTER_AWAY_S: u64 = 30;
/// Milliseconds of a speech within which its call can be given back; later is refused with `speech_begun`.
pub const RETURN_CALL_MS: u64 = 30_000;
/// Items of an agenda. A longer list in the settings file is refused.
pub const AGENDA_MAX: usize = 50;
/// Paragraphs of a draft. A longer draft in the settings file is refused.
pub const PARAGRAPHS_MAX: usize = 500;
/// Characters of an agenda item's short title. A longer one in the settings file is refused.
pub const ITEM_SHORT_MAX_CHARS: usize = 24;
/// Comments of one conference; the next is refused with `feed_full`.
pub const COMMENTS_MAX: u32 = 5_000;
/// Of them those of one site, or of one desk, withdrawn ones too; the next is refused with `share_used`.
pub const COMMENTS_SHARE: u32 = 500;
/// Bytes of all comments that stand, in UTF-8, so that a snapshot stays within some MB; one that does not fit is refused
/// with `feed_full`.
pub const FEED_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the comments of one site, or of one desk; one that does not fit is refused with `share_used` until another is
/// withdrawn.
pub const FEED_SHARE_BYTES: usize = 256 * 1024;
/// Characters of a person's name and title; longer is refused with `text_too_long`.
pub const NAME_MAX_CHARS: usize = 120;
/// Characters of a topic; longer is refused with `text_too_long`.
pub const TOPIC_MAX_CHARS: usize = 200;
/// Characters of a comment, and of a proposed wording; longer is refused with `text_too_long`.
pub const COMMENT_MAX_CHARS: usize = 4_000;
/// Microphones that may be open at once in an open discussion: with the hall's they fill the voices a room hears. More
/// in the settings file is refused.
pub const OPEN_MICROPHONES_MAX: u8 = 3;
/// Milliseconds in which the chair's last step about the list can be undone; then it is refused.
pub const UNDO_MS: u64 = 10_000;
/// Prompts kept; the oldest handled one is forgotten first, then the oldest.
pub const PROMPTS_MAX: usize = 64;
/// Open prompts of one site; the next is refused with `queue_full`.
pub const PROMPTS_PER_SITE_MAX: usize = 8;
/// Devices that wait at the door at once; the next is turned away with `lobby_full`.
pub const LOBBY_MAX: usize = 32;
/// Devices that wait with one link at once; the next is turned away with `lobby_full`.
pub const LOBBY_PER_SEAT_MAX: usize = 4;
/// Devices a seat knows; when one more is let in, the one that was bound first must wait again next time.
pub const DEVICES_PER_SEAT_MAX: usize = 8;
/// Devices that are shut out; the next is refused with `queue_full` until one is let in again.
pub const BANNED_DEVICES_MAX: usize = 256;
/// Persons a site may report in one figure; more is refused with `out_of_range`.
pub const HEADCOUNT_MAX: u16 = 9_999;
/// Seconds between two pictures of the carousel; fewer or more is refused with `out_of_range`.
pub const CAROUSEL_SECONDS: std::ops::RangeInclusive<u16> = 3..=600;
/// Loudness in dBov from which a called site counts as heard: a quiet voice in a quiet room.
pub const HEARD_FROM_DBOV: i8 = -50;
/// Minutes of a break; none or more is refused with `out_of_range`.
pub const BREAK_MINUTES_MAX: u16 = 240;
/// Minutes one speech may be granted at once, and be extended by at once.
pub const TURN_MINUTES_MAX: u16 = 120;
/// Bytes of a frame from a client; a longer one closes the connection with 1009.
pub const FRAME_MAX_BYTES: usize = 64 * 1024;
/// Nesting of JSON from a client; deeper is refused as `malformed`.
pub const JSON_DEPTH_MAX: usize = 32;
/// Frames waiting for one client; the next closes the connection, which rejoins with a fresh snapshot.
pub const OUTBOX_MAX: usize = 256;
/// Bytes waiting for one client beside its snapshot; more closes the connection likewise.
pub const OUTBOX_MAX_BYTES: usize = 1024 * 1024;
/// Comments told in one frame; the rest follows at once in the next. The longest fill half of what may wait for a client.
pub const FEED_FRAME_MAX: usize = 16;
/// Commands waiting for the conference's task; further senders wait, their sockets are not read meanwhile. As many wait
/// once more while the record's disk does not answer, and as many who come beside them; further ones are told
/// `storage_failed`.
pub const INBOX_MAX: usize = 1_024;
/// Of the commands that wait for the disk those of one seat, so that nobody takes the places of all; further ones are told
/// `storage_failed`.
pub const WAITING_SHARE: usize = 64;
/// Commands answered under one sync of the journal.
pub const COMMIT_BATCH_MAX: usize = 128;
/// Sites told to prepare at once; those further down are told when one of these was called.
pub const ON_DECK_MAX: usize = 2;
/// Video tiles of a screen: the hall and a page of twelve sites; a conference with more sites turns the pages.
pub const TILE_SLOTS: usize = 13;
/// The slot of the presentation, behind the programme and the tiles.
pub const PRESENTATION_SLOT: usize = 1 + TILE_SLOTS;
/// Picture slots of every screen: the programme, the tiles, the presentation. The voices come behind them.
pub const PICTURE_SLOTS: usize = PRESENTATION_SLOT + 1;
/// Voices a room hears at once; a further open microphone waits for a free slot.
pub const AUDIO_SLOTS: usize = 4;

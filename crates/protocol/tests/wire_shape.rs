//! The JSON of every frame the server says, pinned: a change here is a change every client must follow.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "../../conference/tests/support/mod.rs"]
mod support;

use diemcau_conference::Refusal;
use diemcau_model::{
    Alarm, Carries, CommentId, HealthId, HealthKind, LinkStats, LinkStep, Millis, Role, SeatId,
    Side, SiteId,
};
use diemcau_protocol::{
    Acknowledged, ErrorWhy, Fact, HealthAlarm, Me, ServerFrame, SiteTelemetry, Viewer, view,
};
use expect_test::expect;
use support::{
    play::perform,
    room::{Room, setup},
};

#[test]
fn every_server_frame() {
    let mut told = String::new();
    for frame in frames() {
        let written = serde_json::to_string(&frame).unwrap();
        assert_eq!(
            serde_json::from_str::<ServerFrame>(&written).unwrap(),
            frame
        );
        told.push_str(&written);
        told.push('\n');
    }
    expect![[r#"
        {"type":"facts","seq":12,"now":1622075400000,"facts":[{"kind":"comment_gone","comment":3}]}
        {"type":"ok","id":"a-1","seq":12}
        {"type":"refused","id":"a-2","why":"list_closed","text":"the list of speakers is closed"}
        {"type":"error","why":"malformed","id":null,"text":"not a frame","fatal":false}
        {"type":"pong","sent":1234.5,"now":1622075400000}
        {"type":"uplink_answer","sdp":"v=0"}
        {"type":"downlink_offer","sdp":"v=0"}
        {"type":"slots","video":[0,null],"step":"sound_only"}
        {"type":"media_failed","side":"uplink","reason":"ICE failed"}
        {"type":"telemetry","sites":[{"site":1,"connections":2,"bars":2,"bad":["jitter"],"link":{"loss_percent":1.5,"down_loss_percent":0.5,"rtt_ms":20.0,"jitter_ms":61.5,"level_dbov":-40,"loud_dbov":-46,"up_bps":1500000,"down_bps":2500000,"fps":25.0,"freezes":2,"bears_bps":4000000,"step":"fewer_tiles"}},{"site":2,"connections":0,"bars":0,"bad":[],"link":null}],"chairs":1}
        {"type":"alarms","alarms":["record_full","mirror_fails"]}
        {"type":"stopping"}
        {"type":"prove","challenge":"q83v","pin":true,"locked_ms":30000}
        {"type":"waiting","code":"4711","title":"Hội nghị","site":"Tháp Mười","label":"Phòng họp"}
        {"type":"downlink_answer","sdp":"v=0"}
        {"type":"presentation_answer","sdp":"v=0"}
        {"type":"health","alarms":[{"alarm":3,"site":1,"kind":"loss","since":1622075400000,"value":7.2,"limit":5.0,"step":null,"acknowledged":{"seat":9,"by":"Kỹ thuật","at":1622075400000}}]}
    "#]].assert_eq(&told);
}

#[test]
fn the_welcome_with_everything_in_it() {
    let mut setup = setup();
    setup.sites.truncate(2);
    setup.agenda.retain(|item| item.id.0 == 3);
    setup.seats.truncate(1);
    let mut room = Room::linked(setup);
    let play = "
        00:00  chair      opens item 3
        00:01  Tháp Mười  requests
        00:02  hall       requests on paragraph 1
        00:03  chair      grants next
        00:04  Tháp Mười  comments on 2 Bổ sung
        00:05  chair      pauses 1";
    perform(&mut room, play, &mut vec![]);
    let welcome = ServerFrame::Welcome {
        me: me(),
        seq: room.live.seq(),
        now: room.now,
        view: Box::new(view(&room.live, Viewer::Chair)),
    };
    let written = serde_json::to_string_pretty(&welcome).unwrap();
    expect![[r#"
        {
          "type": "welcome",
          "me": {
            "seat": 0,
            "role": "chair",
            "site": 0,
            "carries": "watch",
            "label": "Chủ trì"
          },
          "seq": 10,
          "now": 1622075405000,
          "view": {
            "fixed": {
              "title": "Hội nghị góp ý dự thảo",
              "organizer": "Ban Tổ chức",
              "starts": null,
              "sites": [
                {
                  "id": 0,
                  "name": "hall",
                  "short": "hall",
                  "level": "",
                  "hall": true,
                  "summoned": 10
                },
                {
                  "id": 1,
                  "name": "Tháp Mười",
                  "short": "Tháp Mười",
                  "level": "",
                  "hall": false,
                  "summoned": 10
                }
              ],
              "drafts": [
                {
                  "id": 1,
                  "title": "Dự thảo Kết luận",
                  "short": "Kết luận",
                  "paragraphs": [
                    {
                      "label": "I.",
                      "heading": true,
                      "text": "Kết quả"
                    },
                    {
                      "label": "1.",
                      "heading": false,
                      "text": "Tỷ lệ đảng viên đạt 3,76%."
                    }
                  ]
                }
              ],
              "kinds": [
                {
                  "speech": "point_of_order",
                  "rights": {
                    "rank": 0,
                    "though_closed": true,
                    "under_a_speech": false,
                    "interposes": true
                  }
                },
                {
                  "speech": "question",
                  "rights": {
                    "rank": 1,
                    "though_closed": false,
                    "under_a_speech": true,
                    "interposes": true
                  }
                },
                {
                  "speech": "response",
                  "rights": {
                    "rank": 2,
                    "though_closed": false,
                    "under_a_speech": true,
                    "interposes": false
                  }
                },
                {
                  "speech": "reply",
                  "rights": {
                    "rank": 3,
                    "though_closed": false,
                    "under_a_speech": true,
                    "interposes": false
                  }
                },
                {
                  "speech": "paper",
                  "rights": {
                    "rank": 4,
                    "though_closed": false,
                    "under_a_speech": false,
                    "interposes": false
                  }
                },
                {
                  "speech": "contribution",
                  "rights": {
                    "rank": 4,
                    "though_closed": false,
                    "under_a_speech": false,
                    "interposes": false
                  }
                },
                {
                  "speech": "directing",
                  "rights": {
                    "rank": 5,
                    "though_closed": false,
                    "under_a_speech": false,
                    "interposes": false
                  }
                },
                {
                  "speech": "conclusion",
                  "rights": {
                    "rank": 6,
                    "though_closed": false,
                    "under_a_speech": false,
                    "interposes": false
                  }
                }
              ]
            },
            "sites": [
              {
                "site": 0,
                "carrier": "room",
                "since": 1622075400000
              },
              {
                "site": 1,
                "carrier": "room",
                "since": 1622075400000
              }
            ],
            "agenda": {
              "current": 3,
              "next": null,
              "items": [
                {
                  "id": 3,
                  "part_of": null,
                  "quorum_percent": 50,
                  "quorum_base": "summoned",
                  "title": "Thông qua",
                  "short": "Mục 3",
                  "kind": "decision",
                  "presenter": "",
                  "minutes": 30,
                  "turns": {
                    "minutes": 3,
                    "at_zero": {
                      "rule": "mute",
                      "grace_seconds": 30
                    },
                    "approval": false,
                    "queue": {
                      "mode": "in_order"
                    }
                  },
                  "drafts": [
                    1
                  ],
                  "started": 1622075400000,
                  "finished": null,
                  "idle_ms": 0
                }
              ],
              "on_break": null
            },
            "floor": {
              "open": true,
              "turn": {
                "turn": 1,
                "site": 1,
                "words": {
                  "speech": "contribution",
                  "delegate": "",
                  "title": "",
                  "topic": "",
                  "paragraph": null,
                  "minutes": null
                },
                "about": null,
                "started": 1622075403000,
                "allotted_ms": 180000,
                "used_ms": 2000,
                "running_since": null,
                "paused": true,
                "held": false,
                "interrupted": false,
                "silenced": false,
                "muted": false,
                "away_until": null,
                "warned_s": null
              },
              "others": [],
              "queue": [
                {
                  "turn": 2,
                  "site": 0,
                  "words": {
                    "speech": "contribution",
                    "delegate": "",
                    "title": "",
                    "topic": "",
                    "paragraph": {
                      "draft": 1,
                      "paragraph": 1
                    },
                    "minutes": null
                  },
                  "about": null,
                  "at": 1622075402000,
                  "why": {
                    "why": "arrival"
                  },
                  "ready": "unknown",
                  "heard": null
                }
              ],
              "pending": [],
              "kept": [],
              "on_deck": [
                2
              ],
              "next": {
                "does": "call",
                "turn": 2
              },
              "staged": [],
              "hall_microphone": false,
              "microphones_closed": false,
              "priority": false,
              "last": null,
              "denied": [],
              "used": [],
              "undo": {
                "step": "called",
                "turn": 1,
                "site": 1,
                "until": 1622075413000
              },
              "deputy": null
            },
            "stage": {
              "layout": "speaker",
              "preview": null,
              "notice": "",
              "paragraph": {
                "draft": 1,
                "paragraph": 1
              },
              "paragraph_chosen": false,
              "spotlight": null,
              "carousel": null,
              "page": 0,
              "pages": 1,
              "tiles": [
                0,
                1
              ],
              "heard": [],
              "programme": 1,
              "on_deck": [
                0
              ],
              "lower_third": {
                "site": 1,
                "delegate": "",
                "title": "",
                "topic": ""
              },
              "presentation": null,
              "presentation_asks": []
            },
            "feed": [
              {
                "id": 1,
                "site": 1,
                "kind": "wording",
                "words": {
                  "at": {
                    "draft": 1,
                    "paragraph": 2
                  },
                  "text": "Bổ sung",
                  "proposed": "",
                  "delegate": ""
                },
                "at": 1622075404000,
                "held": false
              }
            ],
            "seats": [
              {
                "id": 0,
                "role": "chair",
                "site": 0,
                "carries": "watch",
                "label": "chair",
                "revoked": false,
                "expelled": false,
                "guarded": false,
                "bound": false,
                "devices": 0
              }
            ],
            "attendance": {
              "calling": null,
              "since": null,
              "walks": false,
              "sites": [
                {
                  "site": 0,
                  "headcount": null,
                  "how": null,
                  "at": null,
                  "heard": null
                },
                {
                  "site": 1,
                  "headcount": null,
                  "how": null,
                  "at": null,
                  "heard": null
                }
              ],
              "summoned": 20,
              "present": 0,
              "online": 0,
              "quorum": {
                "base": "summoned",
                "percent": 50,
                "of": 20,
                "there": 0,
                "reached": false
              }
            },
            "prompts": [],
            "speeches": [],
            "door": {
              "waiting": [],
              "banned": []
            }
          }
        }"#]]
    .assert_eq(&written);
}

fn frames() -> Vec<ServerFrame> {
    let now = Millis(1_622_075_400_000);
    let all = vec![
        ServerFrame::Facts {
            seq: 12,
            now,
            facts: vec![Fact::CommentGone {
                comment: CommentId(3),
            }],
        },
        ServerFrame::Ok {
            id: "a-1".into(),
            seq: 12,
        },
        ServerFrame::Refused {
            id: "a-2".into(),
            why: Refusal::ListClosed,
            text: Refusal::ListClosed.to_string(),
        },
        ServerFrame::Error {
            why: ErrorWhy::Malformed,
            id: None,
            text: "not a frame".into(),
            fatal: false,
        },
        ServerFrame::Pong { sent: 1234.5, now },
        ServerFrame::UplinkAnswer { sdp: "v=0".into() },
        ServerFrame::DownlinkOffer { sdp: "v=0".into() },
        ServerFrame::Slots {
            video: vec![Some(SiteId(0)), None],
            step: LinkStep::SoundOnly,
        },
        ServerFrame::MediaFailed {
            side: Side::Uplink,
            reason: "ICE failed".into(),
        },
        ServerFrame::Telemetry {
            sites: vec![
                SiteTelemetry {
                    site: SiteId(1),
                    connections: 2,
                    bars: 2,
                    bad: vec![HealthKind::Jitter],
                    link: Some(LinkStats {
                        loss_percent: 1.5,
                        down_loss_percent: Some(0.5),
                        rtt_ms: Some(20.0),
                        jitter_ms: Some(61.5),
                        level_dbov: Some(-40),
                        loud_dbov: Some(-46),
                        up_bps: 1_500_000,
                        down_bps: 2_500_000,
                        fps: 25.0,
                        freezes: 2,
                        bears_bps: Some(4_000_000),
                        step: LinkStep::FewerTiles,
                    }),
                },
                SiteTelemetry {
                    site: SiteId(2),
                    connections: 0,
                    bars: 0,
                    bad: vec![],
                    link: None,
                },
            ],
            chairs: 1,
        },
        ServerFrame::Alarms {
            alarms: [Alarm::RecordFull, Alarm::MirrorFails].into(),
        },
        ServerFrame::Stopping,
        ServerFrame::Prove {
            challenge: "q83v".into(),
            pin: true,
            locked_ms: 30_000,
        },
        ServerFrame::Waiting {
            code: "4711".into(),
            title: "Hội nghị".into(),
            site: Some("Tháp Mười".into()),
            label: "Phòng họp".into(),
        },
        ServerFrame::DownlinkAnswer { sdp: "v=0".into() },
        ServerFrame::PresentationAnswer { sdp: "v=0".into() },
        ServerFrame::Health {
            alarms: vec![HealthAlarm {
                alarm: HealthId(3),
                site: SiteId(1),
                kind: HealthKind::Loss,
                since: now,
                value: Some(7.2),
                limit: Some(5.0),
                step: None,
                acknowledged: Some(Acknowledged {
                    seat: SeatId(9),
                    by: "Kỹ thuật".into(),
                    at: now,
                }),
            }],
        },
    ];
    let places: Vec<usize> = all.iter().map(place).collect();
    assert_eq!(
        places,
        (1..18).collect::<Vec<_>>(),
        "one of each beside the welcome"
    );
    all
}

/// A new frame does not compile until it is here, and fails until it is in the list above.
fn place(frame: &ServerFrame) -> usize {
    match frame {
        ServerFrame::Welcome { .. } => 0,
        ServerFrame::Facts { .. } => 1,
        ServerFrame::Ok { .. } => 2,
        ServerFrame::Refused { .. } => 3,
        ServerFrame::Error { .. } => 4,
        ServerFrame::Pong { .. } => 5,
        ServerFrame::UplinkAnswer { .. } => 6,
        ServerFrame::DownlinkOffer { .. } => 7,
        ServerFrame::Slots { .. } => 8,
        ServerFrame::MediaFailed { .. } => 9,
        ServerFrame::Telemetry { .. } => 10,
        ServerFrame::Alarms { .. } => 11,
        ServerFrame::Stopping => 12,
        ServerFrame::Prove { .. } => 13,
        ServerFrame::Waiting { .. } => 14,
        ServerFrame::DownlinkAnswer { .. } => 15,
        ServerFrame::PresentationAnswer { .. } => 16,
        ServerFrame::Health { .. } => 17,
    }
}

fn me() -> Me {
    Me {
        seat: SeatId(0),
        role: Role::Chair,
        site: Some(SiteId(0)),
        carries: Carries::Watch,
        label: "Chủ trì".into(),
    }
}

// Everything a page knows, as one value. Frames fold into it; what a person opened or typed is in `ui`.

/** @import { Alarm, ErrorWhy, HealthAlarm, Me, RequestWords, ServerFrame, SiteTelemetry, View } from "../../generated/protocol.ts" */
/** @import { MediaState } from "../capture.js" */
/** @import { Pending } from "../connection.js" */

import { applyFacts } from "./view.js";

/** @typedef {"chair" | "secretary" | "site" | "technician" | "observer" | "stage"} PageName */

/**
 * @typedef {object} Notice A plain sentence in the status line of a desk.
 * @property {string} text
 * @property {boolean} alarming
 */

/**
 * @typedef {object} Ui
 * @property {number | null} picked The request a chair has picked.
 * @property {string} tab
 * @property {number | null} draft
 * @property {number | null} paragraph
 * @property {number | null} comment The comment shown against its draft.
 * @property {"" | "speech" | "order"} asking Which form is open: "Đăng ký phát biểu", or, begun while the list was closed, "Ý kiến về điều hành" alone.
 * @property {RequestWords | null} taken The last request for the floor that the server took.
 * @property {boolean} entered The green room is behind us.
 * @property {boolean} signal The microphone has been heard.
 * @property {boolean | null} toneHeard
 * @property {number | null} summoned The turn the whole desk is inviting to.
 * @property {number | null} deniedSeen The denied request the person has put away.
 * @property {Record<number, string>} asked Who asked, by request: a denied one comes back without its words.
 * @property {number | null} endSeen The ended turn the person has put away.
 * @property {string} panel What the chair has opened over the desk: the roll, the screens, the sheet.
 * @property {number | null} chip The site the chair has picked.
 * @property {number | null} item The item of the agenda the chair has opened.
 * @property {boolean} soundBlocked
 * @property {{ what: string, id: number } | null} confirm The dialog that is open.
 * @property {string} search
 * @property {Alarm[]} known Troubles with the record a person has put away.
 * @property {string} filter
 */

/**
 * @typedef {object} App
 * @property {PageName} page
 * @property {"joining" | "joined" | "lost" | "ended"} link
 * @property {number} lostAt On this page's clock.
 * @property {boolean} stopping The server said it is about to stop.
 * @property {ErrorWhy | null} ended
 * @property {{ code: string, title: string, site: string | null, label: string, since: number } | null} waiting At the door, until somebody lets this device in.
 * @property {{ pin: boolean, until: number } | null} proving What the server asked before the welcome, and until when it looks at no PIN.
 * @property {boolean} pinGiven
 * @property {Me | null} me
 * @property {number} seq
 * @property {View | null} view
 * @property {SiteTelemetry[]} telemetry
 * @property {number | null} chairs Connections of the chair's seats; null before it is told.
 * @property {Alarm[]} alarms
 * @property {HealthAlarm[]} health What is wrong with the sites, as the server decided.
 * @property {number | null} rtt
 * @property {Pending[]} pending
 * @property {Notice | null} notice
 * @property {MediaState} media
 * @property {Ui} ui
 */

/** @param {PageName} page @param {MediaState} media @returns {App} */
export function newApp(page, media) {
  return {
    page, link: "joining", lostAt: 0, stopping: false, ended: null, waiting: null, proving: null, pinGiven: false, me: null, seq: 0, view: null, telemetry: [], chairs: null, alarms: [], health: [], rtt: null,
    pending: [], notice: null, media,
    ui: {
      picked: null, tab: "", draft: null, paragraph: null, comment: null, asking: "", taken: null, entered: false, signal: false, toneHeard: null,
     summoned: null, deniedSeen: null, asked: {}, endSeen: null, panel: "", chip: null, item: null, soundBlocked: false, confirm: null, search: "", known: [], filter: "all",
    },
  };
}

/** @param {App} app @param {ServerFrame} frame @param {number} now When it was heard. @returns {App} */
export function applyFrame(app, frame, now = 0) {
  switch (frame.type) {
    case "prove": return { ...app, proving: { pin: frame.pin, until: now + frame.locked_ms } };
    // It has no seat now, and no desk.
    case "waiting": return { ...app, view: null, waiting: { ...frame, since: now } };
    case "welcome":
      return followFloor({ ...app, link: "joined", stopping: false, waiting: null, alarms: [], health: [], me: frame.me, seq: frame.seq, view: frame.view });
    case "facts": {
      if (!app.view) return app;
      // Comments may come after what the floor did later: each fact replaces its own slice, so the order is no matter.
      return followFloor({ ...app, seq: Math.max(app.seq, frame.seq), view: applyFacts(app.view, frame.facts) });
    }
    case "telemetry": return { ...app, telemetry: frame.sites, chairs: frame.chairs };
    case "alarms": return { ...app, alarms: frame.alarms, ui: { ...app.ui, known: [] } };
    case "health": return { ...app, health: frame.alarms };
    case "stopping": return { ...app, stopping: true };
    default: return app;
  }
}

/** Whether this seat has the chair now: the chair, or the deputy who took it. @param {App} app @param {View} view */
export const presides = (app, view) => (view.floor.deputy === null ? app.me?.role === "chair" : view.floor.deputy.seat === app.me?.seat);

/** What is picked stays so while it waits. @param {App} app @returns {App} */
function followFloor(app) {
  const { picked } = app.ui;
  if (picked === null || app.view?.floor.queue.some((request) => request.turn === picked)) return app;
  return { ...app, ui: { ...app.ui, picked: null } };
}

// Wiring only: which page, whose token, what belongs to what.

/** @import { ClientCommand } from "../generated/protocol.ts" */
/** @import { Answer } from "./connection.js" */
/** @import { App, PageName, Ui } from "./state/app.js" */
/** @import { Ctx } from "./views/pieces.js" */
/** @import { Hold } from "./elements/hold.js" */
/** @typedef {{ view: (ctx: Ctx) => unknown, title: (app: App) => string, keys?: (ctx: Ctx) => Record<string, (() => void) | undefined>, holds?: (ctx: Ctx) => Record<string, Hold | undefined>, said?: (app: App) => string, news?: (before: App, after: App) => string | null, follow?: (before: App, after: App) => App, hear?: (before: App, after: App, ctx: Ctx) => void }} Page */

import { render } from "../vendor/lit-html.js";
import { Connection } from "./connection.js";
import { holdKeys } from "./elements/hold.js";
import { RoomSound } from "./elements/room-sound.js";
import { Media } from "./media.js";
import { applyFrame, newApp } from "./state/app.js";
import { addTexts, loadTexts, t, wantedLanguage } from "./text.js";
import { serverNow } from "./time.js";
import { addStyle, later } from "./views/later.js";
import { joiningPage } from "./views/shell.js";

/** @type {Record<string, { name: PageName, dark?: boolean, styles: string[], texts?: string[], load: () => Promise<Page> }>} */
const PAGES = {
  "/chair": { name: "chair", styles: ["chair"], texts: ["chair"], load: () => import("./views/chair.js") },
  "/secretary": { name: "secretary", styles: ["drafts", "secretary"], texts: ["secretary", "drafts"], load: () => import("./views/secretary.js") },
  "/site": { name: "site", styles: ["site"], texts: ["site"], load: () => import("./views/site.js") },
  "/technician": { name: "technician", dark: true, styles: ["technician"], texts: ["technician", "health"], load: () => import("./views/technician.js") },
  "/observer": { name: "observer", styles: ["observer"], texts: ["observer", "drafts", "quorum"], load: () => import("./views/observer.js") },
  "/stage": { name: "stage", dark: true, styles: ["stage", "break"], texts: ["stage", "break", "roll", "quorum"], load: () => import("./views/stage.js") },
};

/** How long a notice stands, when nothing takes its place. */
const NOTICE_MS = 20_000;
/** What a person has written and the link may carry later. */
const WAITS_IN_WORDS = ["post_comment", "request_floor", "withdraw_request", "withdraw_comment"];
const root = /** @type {HTMLElement} */ (document.getElementById("page"));
const announcer = /** @type {HTMLElement} */ (document.getElementById("announcer"));
const news = /** @type {HTMLElement} */ (document.getElementById("news"));
const path = location.pathname.replace(/\/$/, "") || "/";
const place = PAGES[path];

await loadTexts(wantedLanguage());
if (!place) {
  document.title = "diemcau";
  render((await plainPages()).landingPage(), root);
} else {
  const token = takeToken();
  if (token === "") render((await plainPages()).noLinkPage(), root);
  else await run(place, token);
}

/** Pages without a conference are fetched when there is none. */
async function plainPages() {
  const [pages] = await Promise.all([import("./views/plain.js"), addTexts("plain")]);
  return pages;
}

/** The token stays in the fragment on a wall, where a kiosk may restart with nothing but its address. @returns {string} */
function takeToken() {
  const key = `diemcau.token.${path}`;
  const given = decodeURIComponent(location.hash.slice(1));
  if (given !== "") sessionStorage.setItem(key, given);
  const kept = sessionStorage.getItem(key) ?? "";
  if (given !== "" && kept === given && path !== "/stage") history.replaceState(null, "", location.pathname + location.search);
  // Another link pasted into the same tab is another seat.
  addEventListener("hashchange", () => location.reload());
  return kept;
}

/** @param {NonNullable<typeof place>} about @param {string} token */
async function run(about, token) {
  if (about.dark) document.documentElement.dataset["theme"] = "dark";
  document.documentElement.dataset["page"] = about.name;
  const [page] = await Promise.all([about.load(), ...about.styles.map(addStyle), ...(about.texts ?? []).map(addTexts)]);

  const sound = new RoomSound();
  document.body.append(sound);
  const media = new Media((frame) => connection.tell(frame), (state) => {
    sound.wanted = state.sound;
    update({ media: state });
  });
  let app = newApp(about.name, media.state);
  let drawing = false;
  let said = "";
  const microphoneKey = `diemcau.microphone.${token}`;
  const enteredKey = `diemcau.entered.${token}`;
  app = { ...app, ui: { ...app.ui, entered: sessionStorage.getItem(enteredKey) !== null } };
  if (sessionStorage.getItem(microphoneKey) === "closed") media.setMicrophone(false);

  const connection = new Connection(token, {
    link: (open) => {
      if (open) return;
      media.linkDown();
      if (app.waiting) update({ waiting: null });
      if (app.link === "joined") update({ link: "lost", lostAt: serverNow() });
    },
    frame: (frame) => {
      const before = app;
      app = applyFrame(app, frame, serverNow());
      if (page.follow) app = page.follow(before, app);
      page.hear?.(before, app, ctx);
      const fresh = page.news?.(before, app) ?? null;
      if (fresh !== null) news.textContent = fresh;
      media.hear(frame);
      media.follow(app.me !== null && app.view?.stage.presentation?.seat === app.me.seat);
      if (frame.type === "error" && frame.why === "no_such_alarm") ctx.notice(t("error-no_such_alarm"));
      if (frame.type === "welcome") joined(before);
      draw();
    },
    prove: async (challenge) => (await import("./device.js")).prove(challenge, token),
    ended: (why) => {
      media.stop();
      update({ link: "ended", ended: why });
    },
    pending: (pending) => queueMicrotask(() => update({ pending })),
    answered,
    measured: (rtt) => update({ rtt }),
  });

  /** @type {Ctx} */
  const ctx = {
    get app() { return app; },
    media,
    ask: (command) => {
      update({ notice: null });
      if (app.link !== "joined" && WAITS_IN_WORDS.includes(command.type)) update({ notice: { text: t("saved-offline"), alarming: false } });
      return connection.ask(command);
    },
    tell: (frame) => connection.tell(frame),
    ui,
    tryNow: () => connection.tryNow(),
    givePin: (pin) => {
      update({ ended: null, link: "joining", view: null, pinGiven: true });
      connection.givePin(pin);
    },
    notice: (text, alarming = false) => update({ notice: { text, alarming } }),
    speak: async (code) => {
      await loadTexts(code);
      draw();
    },
    enter: () => {
      sessionStorage.setItem(enteredKey, "yes");
      media.wakeAudio();
      ui({ entered: true });
      startMedia();
    },
    startSound: () => {
      sound.start();
      media.wakeAudio();
    },
  };
  sound.blockedChanged = (blocked) => blocked !== app.ui.soundBlocked && ui({ soundBlocked: blocked });

  holdKeys((key) => page.holds?.(ctx)[key]);
  addEventListener("keydown", (event) => {
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !app.view) return;
    const acts = page.keys?.(ctx) ?? {};
    if (!(event.key in acts)) return;
    const act = document.querySelector("dialog[open]") ? undefined : acts[event.key];
    // A key that has nothing to do now must not open the browser's search.
    if (act || event.key !== "Escape") event.preventDefault();
    act?.();
  });
  for (const kind of ["pointerdown", "keydown"]) {
    addEventListener(kind, () => {
      media.wakeAudio();
      if (app.ui.soundBlocked) sound.start();
    }, { capture: true });
  }
  void import("./elements/awake.js");
  Object.defineProperty(window, "diemcau", { value: Object.freeze({
    view: () => structuredClone(app.view),
    state: () => ({
      page: app.page, link: app.link, waiting: app.waiting, me: app.me, seq: app.seq, ended: app.ended, pending: app.pending.length, notice: app.notice,
      telemetry: app.telemetry, now: serverNow(), rtt: app.rtt, uplink: app.media.uplink, downlink: app.media.downlink, slots: app.media.slots,
      sound: app.media.sound, soundBlocked: app.ui.soundBlocked, microphoneOpen: app.media.microphoneOpen, hasMicrophone: app.media.hasMicrophone,
      hasCamera: app.media.picture !== null, share: app.media.share, level: media.level(),
    }),
    frames: async () => (await import("./figures.js")).frames(media),
    sent: async () => (await import("./figures.js")).sent(media),
  }) });
  draw();
  connection.tryNow();

  /** @param {App} before */
  function joined(before) {
    void addTexts("refusals");
    if (before.view === null || app.media.downlink === "off") startMedia();
    media.linkUp();
  }

  function startMedia() {
    const { me } = app;
    if (!me || me.carries === "nothing") return;
    const sends = me.carries === "room" || me.carries === "standby";
    if (sends && !app.ui.entered) {
      if (!app.media.capturing && !app.media.picture && !app.media.hasMicrophone) void media.capture();
      return;
    }
    // In a hall, a desk that plays what the wall plays would howl: desks that only watch start silent.
    const loud = sends || about.name === "stage" || about.name === "observer";
    if (app.media.downlink === "off") media.receive({ receives: true, sound: loud || app.media.sound, alwaysShown: about.name === "stage" });
    if (!sends) return;
    if (!app.media.picture && !app.media.hasMicrophone && !app.media.capturing) void media.capture().then(() => media.send());
    else media.send();
  }

  /** @param {ClientCommand} command @param {Answer} answer */
  function answered(command, answer) {
    switch (answer.how) {
      case "ok":
        if (command.type === "request_floor") {
          ui({ asking: "", taken: command.words });
          void import("./views/ask.js").then((ask) => ask.forgetRequest(command.words));
        }
        if (command.type === "withdraw_request") update({ notice: { text: t("request-withdrawn"), alarming: false } });
        if (command.type === "post_comment") update({ notice: { text: t("comment-taken"), alarming: false } });
        return;
      case "refused":
        // A release said once more than needed is no news to anybody.
        if (command.type === "set_priority" && !command.on && answer.why === "already_so") return;
        return update({ notice: { text: t(`refusal-${answer.why}`), alarming: true } });
      case "error": return update({ notice: { text: t(`error-${answer.why}`), alarming: true } });
      case "offline": return update({ notice: { text: t("offline-order"), alarming: true } });
      case "unknown": return update({ notice: { text: t("unknown-order"), alarming: true } });
    }
  }

  /** @param {Partial<Ui>} change */
  function ui(change) {
    update({ ui: { ...app.ui, ...change } });
  }

  /** @param {Partial<App>} change */
  function update(change) {
    if (!app) return;
    const closed = change.media && change.media.microphoneOpen !== app.media.microphoneOpen;
    app = { ...app, ...change };
    if (change.notice) putAwayLater(change.notice);
    if (closed) sessionStorage.setItem(microphoneKey, app.media.microphoneOpen ? "open" : "closed");
    draw();
  }

  /** What was said about an order is read by then. @param {NonNullable<App["notice"]>} notice */
  function putAwayLater(notice) {
    setTimeout(() => app.notice === notice && update({ notice: null }), NOTICE_MS);
  }

  function draw() {
    if (drawing) return;
    drawing = true;
    queueMicrotask(() => {
      drawing = false;
      const ready = app.ended === null && app.view !== null;
      document.documentElement.dataset["link"] = app.link;
      document.title = ready ? page.title(app) : `${t(`page-${app.page}`)} · diemcau`;
      render(app.ended !== null ? later(ctx, "plain", () => import("./views/plain.js"), false)?.endedPage(ctx, app.ended) : ready ? page.view(ctx) : joiningPage(ctx), root);
      const say = ready ? page.said?.(app) ?? "" : "";
      if (say !== said) announcer.textContent = said = say;
    });
  }
}

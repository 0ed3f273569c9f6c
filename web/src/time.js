// The server's clock, as well as this machine can know it, and how times are written on a screen.

const TIME_ZONE = "Asia/Ho_Chi_Minh";
const SAMPLES_MAX = 8;
const DRIFT_MOST_MS = 5;

/** @type {{ rtt: number, offset: number }[]} */
let samples = [];
// From the page's steady clock to the server's; a person who sets the computer's clock changes nothing.
let offset = Date.now() - performance.now();

/** @param {number} serverMs The welcome's clock: good enough until the first pong. */
export function guessServerTime(serverMs) {
  samples = [];
  offset = serverMs - performance.now();
}

/** @param {number} sent @param {number} received Both on this page's clock. @param {number} serverMs */
export function learnServerTime(sent, received, serverMs) {
  const rtt = received - sent;
  const fresh = { rtt, offset: serverMs - (sent + rtt / 2) };
  // Both are right within half a round trip: what cannot be is from before a clock was set, or this machine slept.
  samples = [...samples.filter((old) => Math.abs(old.offset - fresh.offset) <= (old.rtt + rtt) / 2 + DRIFT_MOST_MS), fresh].slice(-SAMPLES_MAX);
  offset = samples.reduce((best, sample) => (sample.rtt < best.rtt ? sample : best)).offset;
}

/** @returns {number} Milliseconds since 1970 on the server's clock. */
export function serverNow() {
  return performance.now() + offset;
}

const wall = new Intl.DateTimeFormat("en-GB", {
  timeZone: TIME_ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const day = new Intl.DateTimeFormat("en-GB", { timeZone: TIME_ZONE, day: "2-digit", month: "2-digit", year: "numeric" });

/** "08:52:14" @param {number} ms */
export const clockTime = (ms) => wall.format(ms);

/** "08:52" @param {number} ms */
export const shortTime = (ms) => wall.format(ms).slice(0, 5);

/** The local midnight before a moment. @param {number} ms */
export function midnight(ms) {
  const [hours = 0, minutes = 0, seconds = 0] = clockTime(ms).split(":").map(Number);
  return Math.floor(ms / 1_000) * 1_000 - ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

/** "27/05/2021" @param {number} ms */
export const dateText = (ms) => day.format(ms);


/** Minutes and seconds of a duration: "03:12", "−00:35", "1:04:10". @param {number} ms */
export function durationText(ms) {
  // A countdown shows 00:01 until the second is really over, and passes zero without a "−00:00".
  const whole = Math.ceil(ms / 1000);
  const seconds = Math.abs(whole);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const text = `${hours ? hours + ":" : ""}${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return whole < 0 ? `−${text}` : text;
}

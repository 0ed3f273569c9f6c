// Encoders and players without a page: a real WebRTC stack over WHIP and WHEP, beside a chair, a phone and a wall.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, browser, frames, open, soundPackets, stranger, until } from "./harness.js";

const SITE = 4;
const DISCUSSION = 5;

let server, chromium, chair, stage, bench, encoder;

const view = (page) => page.evaluate(() => globalThis.diemcau?.view());
const carrier = async () => (await view(chair)).sites.find((each) => each.site === SITE).carrier;
const token = (url) => new URL(url).hash.slice(1);
const bearer = (of, more = {}) => ({ authorization: `Bearer ${of}`, ...more });
const sdpOf = (of) => bearer(of, { "content-type": "application/sdp" });
const post = (path, headers, body) => fetch(`${server.base}${path}`, { method: "POST", headers, body });

/** An offer made in a page that is none of ours; `kinds` are what it sends or takes, `codec` the only one of its picture. */
const offer = (name, direction, kinds, codec) => bench.evaluate(async ([name, direction, kinds, codec]) => {
  const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const tracks = direction === "sendonly" ? (await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } })).getTracks() : [];
  for (const kind of kinds) {
    const transceiver = pc.addTransceiver(tracks.find((track) => track.kind === kind) ?? kind, { direction });
    if (codec && kind === "video") transceiver.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs.filter((each) => each.mimeType === codec));
  }
  await pc.setLocalDescription(await pc.createOffer());
  (globalThis.peers ??= {})[name] = pc;
  return pc.localDescription.sdp;
}, [name, direction, kinds, codec]);

const answered = (name, sdp) => bench.evaluate(([name, sdp]) => globalThis.peers[name].setRemoteDescription({ type: "answer", sdp }), [name, sdp]);

/** What a player has received: pictures decoded and packets of sound. */
const received = (name) => bench.evaluate(async (name) => {
  const stats = [...(await globalThis.peers[name].getStats()).values()].filter((each) => each.type === "inbound-rtp");
  const of = (kind, what) => stats.filter((each) => each.kind === kind).reduce((sum, each) => sum + (each[what] ?? 0), 0);
  return { pictures: of("video", "framesDecoded"), sounds: of("audio", "packetsReceived") };
}, name);

/** Begins a session: its address, tag and HTTP answer. */
async function begin(path, of, name, direction, kinds, codec) {
  const sdp = await offer(name, direction, kinds, codec);
  const answer = await post(path, sdpOf(of), sdp);
  assert.equal(answer.status, 201, await answer.clone().text());
  await answered(name, await answer.text());
  return { at: `${server.base}${answer.headers.get("location")}`, etag: answer.headers.get("etag"), of, sdp };
}

before(async () => {
  server = await Server.start();
  chromium = await browser();
  chair = await open(chromium, server.links_of("chair")[1]);
  stage = await open(chromium, server.link("stage"), { width: 1920, height: 1080 });
  bench = await (await stranger(chromium)).newPage();
  await bench.goto(`${server.base}/trust`);
});

after(async () => {
  await chromium?.close();
  await server?.stop();
});

test("an encoder is its site's room: linked, called by its companion's request, seen and heard", async () => {
  const room = token(server.link("moderator", SITE, "room"));
  encoder = await begin("/whip", room, "encoder", "sendonly", ["audio", "video"]);
  assert.match(encoder.etag, /^"[\w+/]+"$/);
  await until("the site is linked", async () => (await carrier()) === "room");

  for (let item = 1; item <= DISCUSSION; item += 1) {
    await chair.getByRole("button", { name: item === 1 ? /Bắt đầu nội dung 1/ : `Sang nội dung ${item}` }).first().click();
    await until("the item runs", async () => (await view(chair)).agenda.current === item);
  }
  const phone = await open(chromium, server.link("moderator", SITE, "nothing"), { width: 390, height: 844 });
  await phone.getByRole("button", { name: "Đăng ký phát biểu" }).click();
  await until("the form has the focus", () => phone.evaluate(() => Boolean(document.activeElement?.closest("form"))));
  await phone.keyboard.press("Enter");
  await until("the chair sees the request", async () => (await view(chair)).floor.queue.length === 1);
  await chair.keyboard.press("F2");
  await until("the encoder is heard", async () => (await view(stage)).stage.heard.includes(SITE));
  const pictures = async () => (await frames(stage))[0]?.framesDecoded ?? 0;
  const before = await pictures();
  await until("its picture moves on the wall", async () => (await pictures()) > before + 10);
  const sounds = await soundPackets(stage);
  await until("it sounds in the hall", async () => (await soundPackets(stage)) > sounds + 20);
  await phone.context().close();
});

test("an encoder that speaks only H.264, as OBS does, takes its own place and is seen by page and player", async () => {
  encoder = await begin("/whip", encoder.of, "h264", "sendonly", ["audio", "video"], "video/H264");
  assert.doesNotMatch(encoder.sdp, /VP8/);
  const codec = (page) => page.evaluate(async () => (await globalThis.diemcau.frames())[0]?.codec);
  await until("the wall decodes it", async () => (await codec(stage)) === "video/H264");
  const before = (await frames(stage))[0].framesDecoded;
  await until("its picture moves on the wall", async () => (await frames(stage))[0].framesDecoded > before + 10);
});

test("a player shows the programme and sounds only while somebody has the floor", async () => {
  const player = await begin("/whep", token(server.link("observer")), "player", "recvonly", ["audio", "video"]);
  await until("the programme moves", async () => (await received("player")).pictures > 10);
  await until("the speaker sounds", async () => (await received("player")).sounds > 20);
  await chair.keyboard.press("F4");
  await until("nobody is heard", async () => (await view(chair)).stage.heard.length === 0);
  const { sounds } = await received("player");
  const came = await server.metric("diemcau_media_datagrams_in_total");
  await until("the encoder goes on sending", async () => (await server.metric("diemcau_media_datagrams_in_total")) > came + 200);
  const later = await received("player");
  // What was on its way when the floor was closed may still have come.
  assert.ok(later.sounds <= sounds + 5, `${later.sounds - sounds} packets of sound after the floor was closed`);
  assert.equal((await fetch(player.at, { method: "DELETE", headers: bearer(player.of) })).status, 200);
});

test("what is asked wrongly gets its status and a sentence", async () => {
  const [room, observer] = [token(server.link("moderator", SITE, "room")), token(server.link("observer"))];
  const some = await offer("some", "sendonly", ["audio", "video"]);
  const player = await offer("takes", "recvonly", ["audio", "video"]);
  const cases = [
    ["/whip", { "content-type": "application/sdp" }, some, 401],
    ["/whip", sdpOf("not-a-token"), some, 401],
    ["/whip", bearer(room, { "content-type": "application/json" }), "{}", 415],
    ["/whip", sdpOf(observer), some, 401],
    ["/whip", sdpOf(room), "v=0\r\nnothing", 422],
    ["/whip", sdpOf(room), "x".repeat(60_000), 413],
    ["/whep", sdpOf(observer), some.replace(/a=mid:\d/g, "a=x"), 422],
    ["/whep", sdpOf(token(server.link("moderator", SITE, "nothing"))), player, 401],
    ["/whep", sdpOf(token(server.links_of("chair")[1])), player, 401],
  ];
  for (const [path, headers, body, status] of cases) {
    const answer = await post(path, headers, body);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
    assert.ok((await answer.text()).trim().length > 5);
    if (status === 401) assert.equal(answer.headers.get("www-authenticate"), "Bearer");
  }
  assert.equal(await carrier(), "room", "what is no offer takes no seat from the encoder");
  assert.equal((await fetch(`${server.base}/whip`)).status, 405);
  const options = await fetch(`${server.base}/whip`, { method: "OPTIONS" });
  assert.deepEqual([options.status, options.headers.get("accept-post")], [200, "application/sdp"]);
});

test("a session is kept, restarted anew and ended by who began it", async () => {
  // The newest machine of a room is its machine, an encoder's too.
  encoder = await begin("/whip", encoder.of, "again", "sendonly", ["audio", "video"]);
  await until("the site is linked again", async () => (await carrier()) === "room");
  const frag = { "content-type": "application/trickle-ice-sdpfrag" };
  const change = (headers, body = `a=ice-ufrag:${encoder.sdp.match(/a=ice-ufrag:(\S+)/)[1]}\r\n`) =>
    fetch(encoder.at, { method: "PATCH", headers: bearer(encoder.of, { ...frag, ...headers }), body });
  assert.equal((await change({})).status, 428);
  assert.equal((await change({ "if-match": '"another"' })).status, 412);
  assert.equal((await change({ "if-match": encoder.etag })).status, 204);
  assert.equal((await change({ "if-match": "*" })).status, 204);
  assert.equal((await change({ "if-match": "*" }, "a=ice-ufrag:new0\r\na=ice-pwd:new\r\n")).status, 422);
  const end = (of) => fetch(encoder.at, { method: "DELETE", headers: bearer(of) });
  assert.equal((await end(token(server.link("observer")))).status, 404);
  assert.equal((await end(encoder.of)).status, 200);
  await until("the site is linked no more", async () => (await carrier()) === null);
  assert.equal((await end(encoder.of)).status, 404);
});

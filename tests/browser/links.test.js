// A room whose network lets no UDP out: Chromium reaches the server over TCP, is seen and heard, sees and hears.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, asks, browser, discuss, entered, frames, joined, open, soundPackets, stranger, until, visit } from "./harness.js";

let server, outside, room, hall, chair;

const view = (page) => page.evaluate(() => globalThis.diemcau?.view());
const linked = (seen) => seen.sites.filter((site) => site.carrier !== null).map((site) => site.site);
const pictures = async (page) => (await frames(page)).filter((slot) => slot.kind === "video").reduce((sum, slot) => sum + slot.framesDecoded, 0);

/** Over what each connection of a page runs. */
const protocols = (page) => page.evaluate(async () => {
  const used = [];
  for (const connection of globalThis.connections) {
    const stats = [...(await connection.getStats()).values()];
    const transport = stats.find((one) => one.type === "transport" && one.selectedCandidatePairId);
    const pair = stats.find((one) => one.id === transport?.selectedCandidatePairId);
    used.push(stats.find((one) => one.id === pair?.remoteCandidateId)?.protocol);
  }
  return used;
});

before(async () => {
  server = await Server.start();
  outside = await browser();
  chair = await entered(await open(outside, server.link("chair")));
  hall = await open(outside, server.link("stage"), { width: 1280, height: 720 });
  room = await visit(await stranger(outside), server.link("moderator", 1, "room"), () => {
    globalThis.connections = [];
    const Made = globalThis.RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Made {
      constructor(...all) {
        super(...all);
        globalThis.connections.push(this);
      }

      // What it sends by UDP goes to a port that is deaf, as behind a wall that lets no UDP out.
      setRemoteDescription({ type, sdp }) {
        return super.setRemoteDescription({ type, sdp: sdp.replace(/( udp \d+ \S+) \d+ typ/gi, "$1 9 typ") });
      }
    };
  });
  await entered(await joined(room));
});

after(async () => {
  await outside?.close();
  await server?.stop();
});

test("a room without UDP is linked over TCP, both ways", async () => {
  await until("its site is linked", async () => linked(await view(chair)).includes(1));
  await until("both its connections are up", async () => {
    const used = await protocols(room);
    return used.length >= 2 && used.every((protocol) => protocol !== undefined);
  });
  assert.deepEqual([...new Set(await protocols(room))], ["tcp"]);
});

test("it is seen and heard in the hall, and sees the hall", async () => {
  await discuss(chair);
  await asks(room);
  await until("the chair sees its request", async () => (await view(chair)).floor.queue.length === 1);
  await chair.keyboard.press("F2");
  await until("the room speaks", async () => (await view(room)).floor.turn?.site === 1);
  const [sound, picture] = [await soundPackets(hall), await pictures(hall)];
  await until("the wall hears it", async () => await soundPackets(hall) > sound + 50);
  await until("the wall sees it", async () => await pictures(hall) > picture + 10);
  const own = await pictures(room);
  await until("it sees pictures itself", async () => await pictures(room) > own + 10);
});

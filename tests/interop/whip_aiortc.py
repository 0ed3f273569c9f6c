"""An encoder and a player on aiortc, beside a running demo conference.

    python -m venv v && v/bin/pip install aiortc==1.16.0 aiohttp
    target/debug/diemcau --data /tmp/interop --listen 127.0.0.1:8099 --media-port 7999 &
    v/bin/python tests/interop/whip_aiortc.py /tmp/interop/demo/links.json

The encoder joins as a site's room over WHIP, its companion asks for the floor, the chair calls it, and the player must
receive its pictures and its sound over WHEP. Ends with the figures, or with what did not come.
"""

import asyncio
import fractions
import json
import sys
import uuid

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

SITE = 5
DISCUSSION = 5
# Liveness bounds, no measures.
WITHIN_S = 40
FRAMES = 30


def link(links, role, carries=None, site=None):
    fits = (
        each
        for each in links
        if each["role"] == role
        and (carries is None or each["carries"] == carries)
        and (site is None or each["site"] == site)
    )
    return next(fits)["url"]


def token(url):
    return url.split("#", 1)[1]


class Desk:
    """A seat on the WebSocket: what it says is answered before it goes on."""

    def __init__(self, socket):
        self.socket = socket
        self.floor = None

    @classmethod
    async def join(cls, session, base, url):
        desk = cls(await session.ws_connect(base.replace("http", "ws") + "/ws"))
        await desk.socket.send_json({"type": "join", "protocol": PROTOCOL, "token": token(url)})
        welcome = await desk.until("welcome")
        desk.floor = welcome["view"]["floor"]
        return desk

    async def until(self, kind, id=None):
        async with asyncio.timeout(WITHIN_S):
            while True:
                frame = await self.socket.receive_json()
                for fact in frame.get("facts", []):
                    if fact["kind"] == "floor":
                        self.floor = fact["floor"]
                if frame["type"] in ("refused", "error"):
                    raise SystemExit(f"refused: {frame}")
                if frame["type"] == kind and id in (None, frame.get("id")):
                    return frame

    async def ask(self, **command):
        id = uuid.uuid4().hex
        await self.socket.send_json({"type": "command", "id": id, "command": command})
        await self.until("ok", id)


async def session(http, path, of, pc):
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"authorization": f"Bearer {token(of)}", "content-type": "application/sdp"}
    async with http.post(path, data=pc.localDescription.sdp, headers=headers) as answer:
        text = await answer.text()
        if answer.status != 201:
            raise SystemExit(f"{path}: {answer.status} {text}")
        await pc.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return answer.headers["location"]


class Tone(MediaStreamTrack):
    """A loud square wave, so that it is no silence."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.inner = AudioStreamTrack()

    async def recv(self):
        silent = await self.inner.recv()
        frame = av.AudioFrame(format="s16", layout="mono", samples=silent.samples)
        wave = bytearray()
        for n in range(silent.samples):
            wave += (8_000 if n // 20 % 2 else -8_000).to_bytes(2, "little", signed=True)
        frame.planes[0].update(bytes(wave))
        frame.pts, frame.sample_rate = silent.pts, silent.sample_rate
        frame.time_base = fractions.Fraction(1, silent.sample_rate)
        return frame


async def count(track, counts):
    while counts[track.kind] < FRAMES:
        await track.recv()
        counts[track.kind] += 1


async def main(links_file):
    with open(links_file) as file:
        links = json.load(file)
    base = links[0]["url"].split("#")[0].rsplit("/", 1)[0]
    counts = {"audio": 0, "video": 0}
    async with aiohttp.ClientSession(base) as http:
        encoder, player = RTCPeerConnection(), RTCPeerConnection()
        encoder.addTrack(Tone())
        encoder.addTrack(VideoStreamTrack())
        await session(http, "/whip", link(links, "moderator", "room", SITE), encoder)

        chair = await Desk.join(http, base, link(links, "chair", "watch"))
        phone = await Desk.join(http, base, link(links, "moderator", "nothing", SITE))
        await chair.ask(type="start_item", item=DISCUSSION)
        words = {"speech": "contribution", "delegate": "", "topic": "", "paragraph": None}
        await phone.ask(type="request_floor", words=words)
        async with asyncio.timeout(WITHIN_S):
            while not chair.floor["on_deck"]:
                await chair.until("facts")
        await chair.ask(type="grant_next", after=None, expect=chair.floor["next"]["turn"])

        tracks = []
        player.on("track", lambda track: tracks.append(asyncio.ensure_future(count(track, counts))))
        for kind in counts:
            player.addTransceiver(kind, direction="recvonly")
        at = await session(http, "/whep", link(links, "observer"), player)
        try:
            async with asyncio.timeout(WITHIN_S):
                await asyncio.gather(*tracks)
        except TimeoutError:
            raise SystemExit(f"too little came: {counts}") from None
        of = {"authorization": f"Bearer {token(link(links, 'observer'))}"}
        async with http.delete(at, headers=of) as ended:
            assert ended.status == 200, ended.status
        await asyncio.gather(encoder.close(), player.close())
    print(f"aiortc as encoder and player: {counts['video']} pictures and {counts['audio']} sounds came")


PROTOCOL = 1

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

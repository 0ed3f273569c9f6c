"""Debian's Firefox as a site's room, beside a running demo conference.

    python -m venv v && v/bin/pip install marionette-driver==3.7.1 aiohttp
    target/debug/diemcau --data /tmp/interop --listen 127.0.0.1:8099 --media-port 7999 &
    v/bin/python tests/interop/firefox.py /tmp/interop/demo/links.json

Firefox opens a room's page with fake devices and enters; the wall's page, in a second tab, must decode the room's picture in
its tile, and the room must decode the hall's programme: another room's picture, so a native endpoint stands in the hall.
"""

import json
import subprocess
import sys
import tempfile
import time

from marionette_driver.marionette import Marionette

SITE = 6
WITHIN_S = 60
FRAMES = 30
PREFS = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "marionette.port": 2829,
}


def link(links, role, carries=None, site=None):
    fits = (
        each
        for each in links
        if each["role"] == role
        and (carries is None or each["carries"] == carries)
        and (site is None or each["site"] == site)
    )
    return next(fits)["url"]


def until(what, probe):
    """Polls a page; the bound is one of liveness."""
    end = time.monotonic() + WITHIN_S
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"in {WITHIN_S} s it did not come to: {what}")


def frames(firefox, slot):
    script = """
        const [slot, done] = arguments;
        window.diemcau.frames().then((all) => done(all[slot]?.framesDecoded ?? 0), (why) => done(String(why)));
    """
    return firefox.execute_async_script(script, script_args=[slot], sandbox=None, new_sandbox=False)


def main(links_file):
    with open(links_file) as file:
        links = json.load(file)
    with tempfile.TemporaryDirectory() as profile:
        with open(f"{profile}/user.js", "w") as prefs:
            for name, value in PREFS.items():
                prefs.write(f'user_pref("{name}", {json.dumps(value)});\n')
        command = ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", profile]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            firefox = Marionette("127.0.0.1", port=PREFS["marionette.port"])
            firefox.raise_for_port(timeout=WITHIN_S)
            firefox.start_session()
            firefox.timeout.script = WITHIN_S
            firefox.navigate(link(links, "moderator", "room", SITE))
            ready = "return document.querySelector('button.enter-go:not([disabled])') !== null"
            until("the room may enter", lambda: firefox.execute_script(ready, sandbox=None))
            firefox.execute_script("document.querySelector('button.enter-go').click()", sandbox=None)
            up = "return window.diemcau.state().uplink"
            until("its uplink is connected", lambda: firefox.execute_script(up, sandbox=None) == "connected")
            room = firefox.current_window_handle
            wall = firefox.open(type="tab", focus=True)["handle"]
            firefox.switch_to_window(wall)
            firefox.navigate(link(links, "stage"))
            until("the wall decodes the room", lambda: frames(firefox, SITE + 1) > FRAMES)
            seen = frames(firefox, SITE + 1)
            firefox.switch_to_window(room)
            heard = firefox.execute_script("return window.diemcau.state().hasMicrophone", sandbox=None)
            print(f"Firefox as a room and as a wall: {seen} pictures decoded, microphone {'open' if heard else 'missing'}")
            firefox.delete_session()
        finally:
            browser.terminate()
            browser.wait()


if __name__ == "__main__":
    main(sys.argv[1])

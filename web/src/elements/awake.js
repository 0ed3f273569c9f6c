// A wall or a room's machine does not go to sleep during a conference.

function ask() {
  if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch(() => {});
}

document.addEventListener("visibilitychange", ask);
ask();
export {};

// Figures of the media connections, for tests and whoever looks into a page. Fetched when asked for.

/** @import { Media } from "./media.js" */

import { mLines } from "./media.js";
import { PRESENTATION_SLOT, VIDEO_SLOTS } from "./slots.js";

/** What each slot has decoded so far. @param {Media} media */
export async function frames(media) {
  const pc = media.connections().downlink;
  if (!pc || pc.signalingState === "closed") return [];
  const mids = pc.remoteDescription ? mLines(pc.remoteDescription.sdp) : [];
  const figures = new Map();
  const stats = await pc.getStats();
  for (const report of stats.values()) {
    if (report.type === "inbound-rtp") figures.set(report.mid, report);
  }
  return mids.map((mid, slot) => {
    const report = figures.get(mid);
    return {
      slot, site: media.state.slots[slot] ?? null, kind: slot === PRESENTATION_SLOT ? "presentation" : slot < VIDEO_SLOTS ? "video" : "audio",
      framesDecoded: report?.framesDecoded ?? 0, width: report?.frameWidth ?? 0, height: report?.frameHeight ?? 0,
      packetsReceived: report?.packetsReceived ?? 0, packetsLost: report?.packetsLost ?? 0,
      freezeCount: report?.freezeCount ?? 0, keyFramesDecoded: report?.keyFramesDecoded ?? 0,
      audioEnergy: report?.totalAudioEnergy ?? 0, samplesReceived: report?.totalSamplesReceived ?? 0,
      concealedSamples: report?.concealedSamples ?? 0, codec: stats.get(report?.codecId)?.mimeType ?? null,
    };
  });
}

/** What each layer of the uplink has sent so far. @param {Media} media */
export async function sent(media) {
  const pc = media.connections().uplink;
  if (!pc || pc.signalingState === "closed") return [];
  return [...(await pc.getStats()).values()].filter((report) => report.type === "outbound-rtp").map((report) => ({
    kind: report.kind, rid: report.rid ?? null, packetsSent: report.packetsSent, bytesSent: report.bytesSent,
    framesEncoded: report.framesEncoded ?? 0, width: report.frameWidth ?? 0, height: report.frameHeight ?? 0,
    codec: report.codecId ?? null, limited: report.qualityLimitationReason ?? null,
  }));
}

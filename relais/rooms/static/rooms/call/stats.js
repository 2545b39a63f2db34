/* What a connection measures, from getStats, as the difference with the last look. */

/** Answers {loss, sentLoss (of what was sent, as the other end says), delay, room, frames} and what to hand in the next time as `before`. */
export function read(connection, before) {
  return connection.getStats().then((report) => {
    const now = { lost: 0, received: 0, decoded: 0, bytes: 0, at: Date.now() };
    const sample = { delay: null, room: null, sentLoss: null };
    report.forEach((entry) => {
      if (entry.type === "inbound-rtp") {
        now.lost += Math.max(0, entry.packetsLost || 0);
        now.received += entry.packetsReceived || 0;
        now.decoded += entry.framesDecoded || 0;
        now.bytes += entry.bytesReceived || 0;
      } else if (entry.type === "remote-inbound-rtp" && typeof entry.fractionLost === "number") {
        sample.sentLoss = Math.max(sample.sentLoss || 0, entry.fractionLost);
      } else if (entry.type === "candidate-pair" && (entry.nominated || entry.selected) && entry.state === "succeeded") {
        if (typeof entry.currentRoundTripTime === "number") {
          sample.delay = entry.currentRoundTripTime * 1000;
        }
        if (typeof entry.availableOutgoingBitrate === "number") {
          sample.room = entry.availableOutgoingBitrate / 1000;
        }
      }
    });
    const lost = before ? now.lost - before.lost : 0;
    const received = before ? now.received - before.received : 0;
    return {
      next: now,
      delay: sample.delay,
      room: sample.room,
      sentLoss: sample.sentLoss,
      loss: lost + received > 20 ? Math.max(0, lost) / (lost + received) : null,
      frames: before ? now.decoded - before.decoded : null,
    };
  });
}

/* Hearing and being heard: the level of the microphone, a tone in the loudspeaker. */

// eslint-disable-next-line compat/compat -- Safari 13 has the prefixed one
const Audio = window.AudioContext || window.webkitAudioContext;

/** Call `tell(level)` (0 to 1) ten times a second with what the microphone hears. Answers what stops it. */
export function listen(track, tell) {
  const context = new Audio();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192; // more than the tenth of a second between two looks: no sound falls between them
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Uint8Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getByteTimeDomainData(samples);
    let peak = 0;
    samples.forEach((sample) => {
      peak = Math.max(peak, Math.abs(sample - 128) / 128);
    });
    tell(Math.min(1, peak * 2));
  }, 100);
  if (context.state === "suspended") {
    context.resume();
  }
  return () => {
    clearInterval(timer);
    context.close();
  };
}

/** Three soft notes. */
export function playTone() {
  const context = new Audio();
  [523, 659, 784].forEach((pitch, index) => {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const start = context.currentTime + index * 0.35;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.3, start + 0.05);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.6);
    tone.connect(volume);
    volume.connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.65);
  });
  setTimeout(() => context.close(), 2500);
  return context.state === "suspended" ? context.resume() : Promise.resolve();
}

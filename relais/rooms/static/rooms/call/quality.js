/* How good a line is, and how much video it should carry. Pure functions: numbers in, decisions out. */

export const GOOD = "good";
export const WEAK = "weak";
export const BAD = "bad";
export const AUDIO = "audio";
export const MESH_MAX = 4; // people who can all send their picture to each other

const WORSE_AFTER = 6; // seconds of a bad line before one step down
const BETTER_AFTER = 12; // seconds of a good line before one step up
const PATIENCE_MAX = 120;
const AUDIO_LEVEL = 3;
const STEPS = [
  { scale: 1, rate: 1500, frames: 24 },
  { scale: 2, rate: 400, frames: 15 },
  { scale: 4, rate: 120, frames: 10 },
];
const SHARE = { 2: 1, 3: 0.5, 4: 0.3 }; // of the bit rate, by number of people in the call

/**
 * The state of a line. `sample`: loss (0 to 1, what the other side did not receive), delay (ms, there and back),
 * room (kbit/s that the browser believes it may send), stalled (the other side sees a frozen picture). Each may be null.
 * `needs` is what the picture takes now, in kbit/s: a browser that sends little never learns that it could send more.
 */
export function assess(sample, needs) {
  const loss = sample.loss === null ? 0 : sample.loss;
  const delay = sample.delay === null ? 0 : sample.delay;
  const room = sample.room === null ? Infinity : sample.room;
  if (loss > 0.12 || delay > 1500 || room < 80 || sample.stalled) {
    return BAD;
  }
  return loss > 0.04 || delay > 700 || room < Math.min(250, needs) ? WEAK : GOOD;
}

/** The state that `step` begins with. */
export function fresh() {
  return { level: 0, worse: 0, better: 0, patience: BETTER_AFTER };
}

/**
 * The next state after `seconds` on a line of that grade. Bad lines go down step by step to sound alone, weak ones to a
 * reduced picture; good ones come back, later each time that coming back has failed.
 */
export function step(state, grade, seconds) {
  const floor = grade === BAD ? AUDIO_LEVEL : grade === WEAK ? 1 : 0;
  const worse = state.level < floor ? state.worse + seconds : 0;
  const better = grade === GOOD && state.level > 0 ? state.better + seconds : 0;
  if (worse >= WORSE_AFTER) {
    const failed = state.rose ? Math.min(PATIENCE_MAX, state.patience * 2) : state.patience;
    return { level: state.level + 1, worse: 0, better: 0, patience: failed, rose: false };
  }
  if (better >= state.patience) {
    return { level: state.level - 1, worse: 0, better: 0, patience: state.patience, rose: true };
  }
  return Object.assign({}, state, { worse, better });
}

/** What a full picture takes at this level, in kbit/s. */
export function needs(level) {
  return level >= AUDIO_LEVEL ? 0 : STEPS[level].rate;
}

/** What to send at this level with so many people: null for sound alone, else scale, bits a second and frames a second. */
export function sending(level, people) {
  if (level >= AUDIO_LEVEL || people > MESH_MAX) {
    return null;
  }
  const { scale, rate, frames } = STEPS[level];
  const crowd = Math.min(4, Math.max(2, people));
  return {
    scaleResolutionDownBy: scale * (crowd > 2 ? 2 : 1) * (crowd > 3 ? 2 : 1),
    maxBitrate: Math.round(rate * 1000 * SHARE[crowd]),
    maxFramerate: crowd > 2 ? Math.min(15, frames) : frames,
  };
}

const TILES = [
  { people: 4, height: 360, rate: 400, frames: 15 },
  { people: 12, height: 180, rate: 150, frames: 10 },
  { people: Infinity, height: 180, rate: 90, frames: 8 },
];

function tile(people) {
  return TILES.filter((one) => people <= one.people)[0];
}

/** The same for a picture of `height` pixels that goes once, to a video relay: as small as its tile on many screens. */
export function relayed(level, people, height) {
  if (level >= AUDIO_LEVEL) {
    return null;
  }
  const wish = tile(people);
  const less = 2 ** level;
  return {
    scaleResolutionDownBy: Math.max(1, (height / wish.height) * less),
    maxBitrate: Math.round((wish.rate * 1000) / less),
    maxFramerate: Math.max(5, Math.round(wish.frames / less)),
  };
}

/** What that takes when the line is good, in kbit/s. */
export function relayedNeeds(people) {
  return tile(people).rate;
}

/** The word for a level: good, weak or audio. */
export function word(level) {
  if (level >= AUDIO_LEVEL) {
    return AUDIO;
  }
  return level > 0 ? WEAK : GOOD;
}

/** The worst of several words. */
export function worst(words) {
  const order = [GOOD, WEAK, AUDIO];
  return words.reduce((found, one) => (order.indexOf(one) > order.indexOf(found) ? one : found), GOOD);
}

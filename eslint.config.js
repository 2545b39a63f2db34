// Scripts of the site run on the browsers of package.json's browserslist: no syntax after ES2019, no API they lack.
import compat from "eslint-plugin-compat";

const names = (text) => Object.fromEntries(text.split(/\s+/).map((name) => [name, "readonly"]));

const browser = names(
  "window document navigator location history console fetch setTimeout clearTimeout setInterval clearInterval " +
    "requestAnimationFrame cancelAnimationFrame queueMicrotask getComputedStyle matchMedia performance crypto " +
    "localStorage sessionStorage indexedDB URL URLSearchParams Headers Request Response FormData File FileReader " +
    "Blob AbortController XMLHttpRequest EventSource BroadcastChannel MessageChannel Event CustomEvent EventTarget " +
    "KeyboardEvent MouseEvent MutationObserver IntersectionObserver ResizeObserver Node Element HTMLElement " +
    "HTMLInputElement HTMLTextAreaElement HTMLSelectElement HTMLFormElement HTMLButtonElement HTMLVideoElement " +
    "HTMLMediaElement HTMLDialogElement DOMParser DOMException TextEncoder TextDecoder Intl WebSocket " +
    "AudioContext webkitAudioContext MediaStream MediaRecorder MediaSource RTCPeerConnection RTCSessionDescription " +
    "RTCIceCandidate RTCRtpSender Notification Audio Image Worker caches atob btoa CSS screen alert confirm htmx",
);
const worker = names("self caches clients skipWaiting registration importScripts onmessage postMessage");

export default [
  { ignores: ["node_modules/", ".venv/", "staticfiles/", "docs/", "**/vendor/"] },
  {
    files: ["relais/**/static/**/*.js"],
    plugins: { compat },
    languageOptions: { ecmaVersion: 2019, sourceType: "module", globals: { ...browser, ...worker } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "compat/compat": "error",
      "no-undef": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
      "no-unreachable": "error",
      "no-dupe-keys": "error",
      "no-const-assign": "error",
      "no-redeclare": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
];

/* Every behaviour of the shell. Each module binds itself to data- attributes; pages add their own modules. */
import "./once.js";
import "./htmx-csrf.js";
import "./menu.js";
import "./dialog.js";
import "./appearance.js";
import "./shortcuts.js";
import "./toast.js";
import "./dirty.js";
import "./draft.js";
import "./countdown.js";
import "./counter.js";
import "./skeleton.js";
import "./rows.js";
import "./focus.js";
import "./find.js";
import "./holder.js";
import "../live/stream.js";

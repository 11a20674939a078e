// All that the urgent page runs, in the order in which it would run one by one. Set-up makes one file of it:
// on a bad link each file costs a question, and a question costs half a second.

import "./live.js";
import "./page.js";
import "./urgent.js";

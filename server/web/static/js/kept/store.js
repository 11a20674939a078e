// What the phone keeps: announcements that are being written or wait to be sent, and their sound piece by
// piece. One database for all who log in on this phone; whoever asks names the person whose they are.

const NAME = "loa";

export class Incomplete extends Error {}

const changes = new BroadcastChannel("loa-kept");
const listeners = [];
changes.addEventListener("message", (event) => { for (const act of listeners) act(event.data); });

let opening = null;

function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("drafts", { keyPath: "id" }).createIndex("person", "person");
      request.result.createObjectStore("pieces");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function within(stores, mode, act) {
  const db = await database();
  return new Promise((resolve, reject) => {
    const deed = db.transaction(stores, mode);
    let outcome;
    act(...stores.map((name) => deed.objectStore(name)), (result) => { outcome = result; });
    deed.oncomplete = () => resolve(outcome);
    deed.onabort = () => reject(deed.error);
  });
}

const all = (id, take) => IDBKeyRange.bound([id, take, 0], [id, take, Infinity]);

// Something was kept, changed or removed: other tabs, and this one, look again.
export function tell(message = {}) {
  changes.postMessage(message);
  for (const act of listeners) act(message);
}

export function onTold(act) {
  listeners.push(act);
}

export async function mine(person) {
  const found = await within(["drafts"], "readonly", (drafts, give) => {
    drafts.index("person").getAll(person).onsuccess = (event) => give(event.target.result);
  });
  return found.sort((one, other) => one.changedAt - other.changedAt);
}

// Whose announcements wait in one of some states.
export async function ownersOf(...states) {
  const found = await within(["drafts"], "readonly", (drafts, give) => {
    drafts.getAll().onsuccess = (event) => give(event.target.result);
  });
  return [...new Set(found.filter((draft) => states.includes(draft.state)).map((draft) => draft.person))];
}

// Read, change and write in one go, so that two tabs never undo each other's changes.
export function change(id, alter) {
  return within(["drafts"], "readwrite", (drafts, give) => {
    drafts.get(id).onsuccess = (event) => {
      const after = alter(event.target.result);
      give(after);
      if (after) drafts.put(after);
    };
  });
}

export function remove(id) {
  return within(["drafts", "pieces"], "readwrite", (drafts, pieces) => {
    drafts.delete(id);
    pieces.delete(IDBKeyRange.bound([id], [id, []]));
  });
}

export function addPiece(id, take, number, bytes) {
  return within(["pieces"], "readwrite", (pieces) => { pieces.put(bytes, [id, take, number]); });
}

export function dropTake(id, take) {
  return within(["pieces"], "readwrite", (pieces) => { pieces.delete(all(id, take)); });
}

export async function soundOf(draft) {
  // Fewer than were recorded: the phone's memory was full. Half a warning must not be taken for one.
  const found = await within(["pieces"], "readonly", (pieces, give) => {
    pieces.getAll(all(draft.id, draft.take.id)).onsuccess = (event) => give(event.target.result);
  });
  if (found.length < draft.take.count) throw new Incomplete();
  return new Blob(found, { type: draft.take.type });
}

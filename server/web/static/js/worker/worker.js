// The worker of the installed application: the shell of the urgent page is kept by version, the person's own
// page until somebody logs in or out, and what is held is sent when the network is back.

import { sendHeld } from "../kept/sending.js";
import { ownersOf } from "../kept/store.js";

const PATIENCE_MS = 4000;

export function serve({ build, shell, offline, own, staleMin }) {
  const SHELL = `loa-shell-${build}`;
  const OWN = `loa-own-${build}`;

  self.addEventListener("install", (event) => {
    event.waitUntil((async () => {
      const cache = await caches.open(SHELL);
      await cache.addAll(shell.map((address) => new Request(address, { cache: isForEver(address) ? "default" : "no-cache" })));
      // Nobody's name may stand in what everybody on this phone is shown.
      await cache.add(new Request(offline, { cache: "no-cache", credentials: "omit" }));
      // Whoever had their page here keeps it, made for this version.
      for (const name of await ownCaches()) {
        for (const request of await (await caches.open(name)).keys()) {
          await fetched(request.url);
        }
      }
      await self.skipWaiting();
    })());
  });

  self.addEventListener("activate", (event) => {
    event.waitUntil((async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("loa-") && name !== SHELL && name !== OWN) await caches.delete(name);
      }
      await self.clients.claim();
      // The page that has brought the worker was fetched without it.
      for (const { url } of await self.clients.matchAll()) {
        const { pathname, searchParams } = new URL(url);
        if (own.includes(pathname) && isPlain(searchParams)) await fetched(url);
      }
    })());
  });

  self.addEventListener("fetch", (event) => {
    const { request } = event;
    const { origin, pathname, searchParams } = new URL(request.url);
    if (origin !== self.location.origin) return;
    if (request.method === "POST" && request.mode === "navigate" && ["/login", "/logout"].includes(pathname)) {
      // Whoever comes next must not find this one's page.
      event.waitUntil(forget());
      return;
    }
    if (request.method !== "GET") return;
    if (pathname.startsWith("/static/")) event.respondWith(kept(request));
    else if (request.mode === "navigate") event.respondWith(page(event, own.includes(pathname) && isPlain(searchParams)));
  });

  self.addEventListener("sync", (event) => {
    if (event.tag === "loa-unsent") event.waitUntil(sendAll());
  });

  async function kept(request) {
    const cache = await caches.open(SHELL);
    const found = await cache.match(request);
    if (found) return found;
    const answer = await fetch(request);
    // Only what can never change under its address.
    if (answer.ok && answer.headers.get("Cache-Control")?.includes("immutable")) await cache.put(request, answer.clone());
    return answer;
  }

  async function page(event, isOwn) {
    const asked = fetch(event.request);
    if (isOwn) event.waitUntil(asked.then((answer) => keep(event.request, answer.clone())).catch(() => {}));
    const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); });
    const found = isOwn ? await ownPage(event.request) : null;
    try {
      const answer = await (found ? Promise.race([asked, late]) : asked);
      return answer ?? found;
    } catch {
      return found ?? await caches.match(offline) ?? Response.error();
    }
  }

  async function fetched(address) {
    const answer = await fetch(address).catch(() => null);
    if (answer) await keep(address, answer);
  }

  async function keep(request, answer) {
    if (answer.ok && !answer.redirected && answer.type === "basic") await (await caches.open(OWN)).put(request, answer);
  }

  async function ownPage(request) {
    const cache = await caches.open(OWN);
    return (await cache.match(request)) ?? cache.match(request, { ignoreSearch: true });
  }

  async function sendAll() {
    for (const person of await ownersOf("held", "unspoken")) {
      const { lost } = await sendHeld(person, { staleMin });
      // The browser tries again later, each time after a longer pause.
      if (lost) throw new Error("no network yet");
    }
  }
}

// A drill, or what follows an announcement, must not stand in for the page itself, nor the other way.
const isPlain = (query) => [...query.keys()].every((name) => name === "unit");

// What the page has just fetched and what can never change under its address is not asked for again.
const isForEver = (address) => address.includes("?v=") || address.startsWith("/static/js-");

async function ownCaches() {
  return (await caches.keys()).filter((name) => name.startsWith("loa-own-"));
}

async function forget() {
  for (const name of await ownCaches()) await caches.delete(name);
}

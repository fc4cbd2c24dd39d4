"use strict";

// How often one looks, how long an answer may take, and how many looks a line shows.
const EVERY = 1000, PATIENCE = 5000, POINTS = 60;

const find = (id) => document.getElementById(id);
const svg = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

/** An element; what it says is text and never HTML. */
function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** Writes only what is different: whoever has marked a text keeps it. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const count = (number) => whole.format(number);

function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (number >= 1000 && unit < units.length - 1) [number, unit] = [number / 1000, unit + 1];
  return `${unit && number < 100 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

function time(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const [d, h, m, s] = [seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(Math.floor);
  return d ? `${d} d ${h} h` : h ? `${h} h ${m} min` : m ? `${m} min ${s} s` : `${s} s`;
}

const ends = (all) => all.map((end) => `${end.code || "others"} by ${end.by}: ${count(end.count)}`).join(", ") || "–";

/**
 * Has `parent` hold one child for each item, in their order; children are kept by key, so that nothing
 * that has the focus or is marked is made anew.
 */
function each(parent, items, key, make, fill) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const seen = new Map();
  items.forEach((item, place) => {
    const times = seen.get(key(item)) ?? 0;
    seen.set(key(item), times + 1);
    const name = `${key(item)} ${times}`;
    let child = old.get(name);
    old.delete(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
    }
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
    fill(child, item, name);
  });
  old.forEach((child) => child.remove());
}

/** A row whose first cell is its heading. */
function row(columns) {
  const made = element("tr");
  columns.forEach((className, place) => {
    const cell = element(place ? "td" : "th", className ?? "");
    if (!place) cell.scope = "row";
    made.append(cell);
  });
  return made;
}

// Rates: what was counted at the last look, and the lines of the last minute.
let before = null, now = null;
// Those of this look, and of the last one: of a server that is gone nothing is left.
let lines = new Map(), pastLines = new Map();

/** How much more in a second something has become since the last look. */
function rate(is, was) {
  const passed = before ? now.time - before.time : 0;
  return passed > 0 && was !== undefined ? Math.max(0, (is - was) / passed) : 0;
}

/** A number with a line of what it was. */
function line(cell, key, value, show) {
  if (!cell.firstChild) {
    const meter = element("span", "meter"), graph = svg("svg");
    graph.setAttribute("viewBox", `0 0 ${POINTS - 1} 20`);
    graph.setAttribute("preserveAspectRatio", "none");
    graph.setAttribute("aria-hidden", "true");
    graph.append(svg("polyline"));
    meter.append(graph, element("b"));
    cell.append(meter);
  }
  const past = [...(pastLines.get(key) ?? []), value];
  lines.set(key, past);
  if (past.length > POINTS) past.shift();
  const most = Math.max(1, ...past), first = POINTS - past.length;
  const points = past.map((value, place) => `${first + place},${(19 - 18 * value / most).toFixed(1)}`);
  cell.querySelector("polyline").setAttribute("points", points.join(" "));
  say(cell.querySelector("b"), show(value));
}

/** A number with a bar of this part of the whole. */
function bar(cell, value, part) {
  if (!cell.firstChild) {
    const meter = element("span", "meter"), track = element("span", "track");
    track.setAttribute("aria-hidden", "true");
    track.append(element("i"));
    meter.append(track, element("b"));
    cell.append(meter);
  }
  cell.querySelector("i").style.width = `${(100 * part).toFixed(1)}%`;
  say(cell.querySelector("b"), count(value));
}

function state(cell, server) {
  if (!cell.firstChild) cell.append(element("span"), element("span", "reason"));
  const more = server.benched_for !== null ? ` ${time(Math.ceil(server.benched_for))}`
    : server.share !== null ? ` ${Math.round(server.share * 100)} %` : "";
  cell.firstChild.className = `state ${server.state}`;
  say(cell.firstChild, server.state + more);
  say(cell.lastChild, server.reason ?? "");
  cell.title = server.reason ?? "";
}

const both = (traffic, what) => traffic[`${what}_received`] + traffic[`${what}_sent`];

function upstreams() {
  [pastLines, lines] = [lines, new Map()];
  const make = () => find("upstream").content.firstElementChild.cloneNode(true);
  each(find("upstreams"), now.upstreams, (upstream) => upstream.name, make, (section, upstream, name) => {
    const [heading, scroll] = section.children;
    heading.id = `upstream ${name}`.replaceAll(" ", "-");
    [section, scroll].forEach((node) => node.setAttribute("aria-labelledby", heading.id));
    say(heading, `Upstream ${upstream.name}`);
    const was = before?.upstreams.find((other) => other.name === upstream.name)?.servers ?? [];
    // The fullest bar is that of whoever has most for its weight: even ones are equally long.
    const load = (server) => server.active / Math.max(1, server.weight);
    const most = Math.max(1, ...upstream.servers.map(load));
    const columns = [null, "text", "wide", null, "wide", "wide", null, null, "text"];
    const address = (server) => server.address;
    each(section.querySelector("tbody"), upstream.servers, address, () => row(columns), (tr, server, key) => {
      const same = upstream.servers.filter((other) => other.address === server.address).indexOf(server);
      const old = was.filter((other) => other.address === server.address)[same];
      const [name, is, active, tunnels, messages, moved, selected, failures, closed] = tr.children;
      say(name, server.address + (server.backup ? " (backup)" : "") + (server.weight > 1 ? ` ×${server.weight}` : ""));
      name.title = server.address;
      state(is, server);
      bar(active, server.active, load(server) / most);
      say(tunnels, count(server.tunnels));
      const per = (what) => rate(both(server, what), old && both(old, what));
      line(messages, `${upstream.name} ${key} messages`, per("messages"), count);
      line(moved, `${upstream.name} ${key} bytes`, per("bytes"), bytes);
      say(selected, count(server.selected));
      say(failures, count(server.failures));
      say(closed, ends(server.ends));
    });
  });
}

function listeners() {
  const make = () => row(Array(12).fill(null));
  each(find("listeners"), now.listeners, (it) => it.address, make, (tr, it) => {
    const was = before?.listeners.find((other) => other.address === it.address);
    [
      it.address, count(it.active), count(it.tunnels), count(it.reading), count(it.writing), count(it.waiting),
      rate(it.accepted, was?.accepted).toFixed(1), rate(it.requests, was?.requests).toFixed(1),
      count(it.accepted), count(it.requests), count(it.answers["4xx"]), count(it.answers["5xx"]),
    ].forEach((text, place) => say(tr.children[place], text));
  });
}

const TUNNEL = ["Client", "Upstream", "Server", "Age", "Idle", "Ping", "Messages in", "out", "Bytes in", "out"];

function tunnels(table) {
  if (!table.tHead) {
    const heads = TUNNEL.map((name, place) => {
      const head = element("th", place < 3 ? "text" : "", name);
      head.scope = "col";
      return head;
    });
    table.createTHead().insertRow().append(...heads);
    table.createTBody();
  }
  const key = (it) => `${it.client} ${it.server}`;
  const make = () => row([null, "text", "text", ...Array(7).fill(null)]);
  each(table.tBodies[0], now.tunnels[table.dataset.tunnels], key, make, (tr, it) => {
    [
      it.client, it.upstream, it.server, time(it.age), time(it.idle), it.ping === null ? "–" : time(it.ping),
      count(it.messages_received), count(it.messages_sent), bytes(it.bytes_received), bytes(it.bytes_sent),
    ].forEach((text, place) => say(tr.children[place], text));
  });
}

/** Names and what they are. */
function tiles(list, pairs) {
  const make = () => {
    const tile = element("div");
    tile.append(element("dt"), element("dd"));
    return tile;
  };
  each(list, pairs, ([name]) => name, make, (tile, [name, value, className]) => {
    say(tile.children[0], name);
    say(tile.children[1], value);
    tile.className = className ?? "";
  });
}

/** What is not above a bound that this part of all is not above. */
function quantile(distribution, part) {
  const found = distribution.buckets.find(([, below]) => below >= part * distribution.count);
  return distribution.count === 0 ? null : found ? found[0] : Infinity;
}

function median(distribution, show) {
  const bound = quantile(distribution, 0.5);
  if (bound === null) return "–";
  return bound === Infinity ? `> ${show(distribution.buckets.at(-1)[0])}` : `≤ ${show(bound)}`;
}

function totals() {
  const all = now.tunnels, was = before?.tunnels, process = now.process;
  const per = (what) => rate(both(all, what), was && both(was, what));
  tiles(find("totals"), [
    ["Open", count(all.tunnels)],
    ["Opened/s", rate(all.opened, was?.opened).toFixed(1)],
    ["Closed/s", rate(all.closed, was?.closed).toFixed(1)],
    ["Messages/s", count(per("messages"))],
    ["Bytes/s", bytes(per("bytes"))],
    ["Median message", median(all.message_size, bytes)],
    ["Median lifetime", median(all.lifetime, time)],
    ["Closed with", ends(all.ends), "list"],
  ]);
  const used = rate(process.cpu, before?.process.cpu);
  const most = process.descriptor_limit === null ? "" : ` of ${count(process.descriptor_limit)}`;
  tiles(find("process"), [
    ["Process", `${process.pid}`],
    ["Up", time(process.uptime)],
    ["Threads", count(process.threads)],
    ["Memory", bytes(process.memory)],
    ["Processors", `${(100 * used).toFixed(0)} %`],
    ["Descriptors", count(process.descriptors) + most],
  ]);
}

function show() {
  say(find("version"), now.version);
  const { number, loaded, reload } = now.generation;
  say(find("about"), `configuration ${number}, loaded ${time(Math.max(1, now.time - loaded))} ago`);
  const failed = reload?.error ?? null;
  find("reload").hidden = failed === null;
  say(find("reload"), failed === null ? "" : `The last reload failed: ${failed}`);
  totals();
  upstreams();
  listeners();
  document.querySelectorAll("[data-tunnels]").forEach(tunnels);
}

function live(text, bad) {
  say(find("live"), text);
  find("live").className = bad ? "bad" : "";
}

let timer = null, paused = false;

async function look() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  try {
    const answer = await fetch("?json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    [before, now] = [now, await answer.json()];
    show();
    if (!paused) live("live", false);
  } catch (error) {
    live(`no answer (${error.message})`, true);
  }
  clearTimeout(timer);
  timer = setTimeout(look, EVERY);
}

function pause() {
  paused = !paused;
  find("pause").setAttribute("aria-pressed", `${paused}`);
  live(paused ? "paused" : "connecting", false);
  look();
}

find("pause").addEventListener("click", pause);
document.addEventListener("visibilitychange", look);
look();

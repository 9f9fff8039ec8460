// Runs the real binary and a real browser.
import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(here, "../../../../target");
const binary = join(target, "debug/moveout");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const shots = join(target, "screenshots");
mkdirSync(shots, { recursive: true });

/** Runs a command to its end and returns what it printed. */
export function run(...args) {
  const done = spawnSync(binary, args, { encoding: "utf8" });
  assert.equal(done.status, 0, `moveout ${args.join(" ")}: ${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** A data folder in which the demo has run, and what the demo said. */
export function demo() {
  const folder = mkdtempSync(join(tmpdir(), "moveout-"));
  const data = join(folder, "data");
  const result = JSON.parse(run("demo", "--headless", "--json", "--data", data));
  return { data, folder, result, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A running server over a data folder. */
export async function serve(data) {
  const child = spawn(binary, ["serve", "--data", data, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  const url = await new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error(`the server ended: ${said}`)));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
      const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) resolve(found[0]);
    });
  });
  return { url, stop: () => new Promise((resolve) => { child.removeAllListeners("exit"); child.once("exit", resolve); child.kill("SIGTERM"); }) };
}

/** Chromium as Debian ships it. */
export const browser = () =>
  chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** The four ways in which every page must hold: light and dark, wide and narrow. */
export const looks = [
  { name: "light-wide", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { name: "dark-narrow", colorScheme: "dark", viewport: { width: 390, height: 844 } },
  { name: "dark-wide", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { name: "light-narrow", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

/** Fails on any violation of WCAG 2.2 AA that axe finds, and on a page that scrolls sideways. Keeps a picture. */
export async function holds(page, name) {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
  const words = found.violations.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html).join(" | ")}`);
  assert.deepEqual(words, [], name);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name} scrolls sideways by ${wide}px`);
}

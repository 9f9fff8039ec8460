// What a person sees: the status of a deletion, the instructions, the console.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { browser, demo, holds, looks, serve } from "./support.mjs";

let world, server, chromium;

before(async () => {
  world = demo();
  server = await serve(world.data);
  chromium = await browser();
});

after(async () => {
  await chromium?.close();
  await server?.stop();
  world?.remove();
});

/** Visits a page in all four looks, with the browser's errors counted. */
async function visit(path, name, judge) {
  for (const look of looks) {
    const context = await chromium.newContext(look);
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    const response = await page.goto(server.url + path);
    assert.equal(response.status(), 200, path);
    await judge(page);
    await holds(page, `${name}-${look.name}`);
    assert.deepEqual(errors, [], `${name}: the browser complains`);
    await context.close();
  }
}

test("the status page tells the person what was erased, what was kept and why", async () => {
  const path = new URL(world.result.status_url).pathname;
  await visit(path, "deletion", async (page) => {
    const text = await page.innerText("main");
    assert.match(text, /HGB §257 \(4\)/);
    assert.match(text, new RegExp(world.result.erasure.confirmation_code, "i"));
    assert.doesNotMatch(text, /undefined|null|\{\{/);
  });
});

test("the status page says the same without script", async () => {
  const context = await chromium.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(server.url + new URL(world.result.status_url).pathname);
  assert.match(await page.innerText("main"), /HGB §257 \(4\)/);
  await context.close();
});

test("the instructions lead to the status by code", async () => {
  await visit("/deletion", "instructions", async (page) => {
    assert.match(await page.innerText("h1"), /\S/);
  });
  const context = await chromium.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/deletion`);
  await page.locator("form input[type=text], form input:not([type])").first().fill(world.result.erasure.confirmation_code.toUpperCase());
  await page.locator("form button").first().click();
  await page.waitForURL("**/deletion/*");
  assert.match(await page.innerText("main"), /HGB §257 \(4\)/);
  await context.close();
});

test("the console shows the transfer and the erasure, and leads to each", async () => {
  await visit("/", "console", async (page) => {
    const text = await page.innerText("main");
    assert.match(text, /posts/i);
    assert.match(text, /partly refused/i);
  });
  for (const kind of ["transfers", "erasures"]) {
    const context = await chromium.newContext();
    const page = await context.newPage();
    await page.goto(server.url);
    const path = await page.locator(`a[href^="/${kind}/"]`).first().getAttribute("href");
    await context.close();
    await visit(path, kind, async (page) => assert.match(await page.innerText("main"), /\S/));
  }
});

test("an address that leads nowhere is explained to people", async () => {
  const page = await chromium.newPage();
  const response = await page.goto(`${server.url}/deletion/aaaaaaaaaaaaaaaaaaaaaaaaaa`);
  assert.equal(response.status(), 404);
  assert.match(await page.innerText("main"), /MO-1010/);
  await page.close();
});

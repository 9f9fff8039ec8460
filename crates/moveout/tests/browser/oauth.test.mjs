// A client that we did not write (openid-client) walks the authorization in a real browser.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as oauth from "openid-client";
import { browser, holds, looks, run, serve } from "./support.mjs";

const password = "correct horse battery staple";
let folder, server, chromium, catcher, redirect, caught;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "moveout-"));
  // The client's own redirect address: remembers what the browser brings.
  catcher = createServer((request, response) => {
    caught(new URL(request.url, redirect));
    response.setHeader("content-type", "text/html").end("<!doctype html><title>done</title>back at the client");
  });
  await new Promise((resolve) => catcher.listen(0, "127.0.0.1", resolve));
  redirect = `http://127.0.0.1:${catcher.address().port}/callback`;

  const file = (name, text) => (writeFileSync(join(folder, name), text), join(folder, name));
  const data = join(folder, "data");
  file("client-secret", "the client's secret");
  run("apply", file("world.toml", `
[[client]]
id = "importer"
name = "Example Importer"
secret = "file:./client-secret"
redirect_uris = ["${redirect}"]
scopes = ["media:write", "social-posts:write"]
`), "--data", data);
  run("account", "add", "zoe", "--password-file", file("password", password), "--data", data);
  server = await serve(data);
  chromium = await browser();
});

after(async () => {
  await chromium?.close();
  await server?.stop();
  catcher?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Signs in and allows (or not) what the client asks for; returns where the browser was sent. */
async function walk(url, { look = looks[0], allow = true, judge = () => {} } = {}) {
  const context = await chromium.newContext(look);
  const page = await context.newPage();
  const arrival = new Promise((resolve) => (caught = resolve));
  await page.goto(url.href);
  await judge(page, "login");
  await page.locator("input[autocomplete=username]").fill("zoe");
  await page.locator("input[type=password]").fill(password);
  await page.locator("main button[type=submit]").click();
  await page.getByRole("button", { name: /allow/i }).waitFor();
  await judge(page, "consent");
  await page.getByRole("button", { name: allow ? /^allow/i : /deny|refuse|cancel|not allow/i }).click();
  const arrived = await arrival;
  await context.close();
  return arrived;
}

async function client() {
  return oauth.discovery(new URL(server.url), "importer", {}, oauth.ClientSecretBasic("the client's secret"), {
    algorithm: "oauth2",
    execute: [oauth.allowInsecureRequests],
  });
}

async function request(config, scope = "media:write") {
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const url = oauth.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  return { url, checks: { pkceCodeVerifier: verifier, expectedState: state } };
}

test("code, PKCE, refresh, introspection and revocation", async () => {
  const config = await client();
  const { url, checks } = await request(config, "media:write social-posts:write");
  const arrived = await walk(url);
  const tokens = await oauth.authorizationCodeGrant(config, arrived, checks);
  assert.equal(tokens.token_type, "bearer");
  assert.equal((await oauth.tokenIntrospection(config, tokens.access_token)).active, true);

  // The same code again is refused, and takes back what came of it (RFC 6749 §4.1.2).
  await assert.rejects(oauth.authorizationCodeGrant(config, arrived, checks), { error: "invalid_grant" });
  assert.equal((await oauth.tokenIntrospection(config, tokens.access_token)).active, false);

  const second = await request(config);
  const fresh = await oauth.authorizationCodeGrant(config, await walk(second.url), second.checks);
  const refreshed = await oauth.refreshTokenGrant(config, fresh.refresh_token);
  assert.notEqual(refreshed.access_token, fresh.access_token);
  await oauth.tokenRevocation(config, refreshed.refresh_token ?? fresh.refresh_token);
  assert.equal((await oauth.tokenIntrospection(config, refreshed.access_token)).active, false);
});

test("a person who does not allow it sends the client away with access_denied", async () => {
  const config = await client();
  const { url, checks } = await request(config);
  const arrived = await walk(url, { allow: false });
  await assert.rejects(oauth.authorizationCodeGrant(config, arrived, checks), { error: "access_denied" });
});

test("the pages of the walk hold in light and dark, wide and narrow", async () => {
  const config = await client();
  for (const look of looks) {
    const { url } = await request(config);
    await walk(url, { look, judge: (page, name) => holds(page, `${name}-${look.name}`) });
  }
});

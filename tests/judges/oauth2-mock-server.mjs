// judge: oauth2-mock-server
// from: npm oauth2-mock-server@9.3.0
// checks: oneup as client: what arrives of awkward IDs and secrets (non-ASCII too), PKCE, keys of four algorithms, refresh, error responses, hidden discovery

import { createServer } from 'node:http'
import { OAuth2Server } from 'oauth2-mock-server'
import { AWKWARD, Browser, Home, assert, atEnd, check, main } from './harness.mjs'

const REALM = '/auth/realms/dev-portal'
const OIDC = '/protocol/openid-connect'
const PAIRS = [...AWKWARD, ['non-ASCII', 'klient-ü-日本', 'pässwörd-π-🔑']]

/// The client ID and the secret as RFC 6749 §2.3.1 defines them in a request.
function credentials(request) {
  const [scheme, value] = (request.headers.authorization ?? '').split(' ')
  if (scheme !== 'Basic') return [request.body.client_id, request.body.client_secret]
  const decode = (text) => decodeURIComponent(text.replaceAll('+', ' '))
  const [id, ...secret] = Buffer.from(value, 'base64').toString().split(':')
  return [decode(id), decode(secret.join(':'))]
}

/// A server whose issuer has the path of a Keycloak realm.
async function start() {
  const { issuer, service } = new OAuth2Server(undefined, undefined, {
    endpoints: Object.fromEntries(['token', 'revoke'].map((name) => [name, `${OIDC}/${name}`]).concat(
      [['jwks', `${OIDC}/certs`], ['authorize', `${OIDC}/auth`], ['introspect', `${OIDC}/token/introspect`]])),
  })
  const server = createServer((request, response) => {
    request.url = request.url.replace(REALM, '')
    service.requestHandler(request, response)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.on('listening', resolve))
  atEnd(() => { server.closeAllConnections(); server.close() })
  const base = `http://127.0.0.1:${server.address().port}`
  issuer.url = base + REALM
  return { server: { issuer, service }, base }
}

await main(async () => {
  const { server, base } = await start()
  await server.issuer.keys.generate('RS256')
  const login = (home, id, secret, options = {}, ...args) => home.run(
    ['login', 'provider', '--gateway', base, '--client-id', id, ...args], { env: { ONEUP_CLIENT_SECRET: secret }, ...options })

  for (const method of ['post', 'basic']) {
    for (const [name, id, secret] of PAIRS) {
      await check(`credentials arrive, ${method}: ${name}`, async () => {
        let received
        server.service.once('beforeResponse', (_, request) => { received = credentials(request) })
        await login(await Home.create(), id, secret, {}, '--auth-method', method)
        assert.deepEqual(received, [id, secret])
      })
    }
  }

  const home = await Home.create()
  await login(home, 'client', 'secret')
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    await check(`signature verified: ${alg}`, async () => {
      const fresh = await start()
      await fresh.server.issuer.keys.generate(alg)
      const own = await Home.create()
      await own.run(['login', 'provider', '--gateway', fresh.base, '--client-id', 'client'], { env: { ONEUP_CLIENT_SECRET: 'secret' } })
      await own.run(['token', 'inspect', '--verify'])
    })
  }
  await check('a key that was added after the first verification is found', async () => {
    await home.run(['token', 'inspect', '--verify'])
    const { kid } = await server.issuer.keys.generate('ES256')
    const token = await server.issuer.buildToken({ kid })
    await home.run(['token', 'inspect', '-', '--verify'], { stdin: token })
  })
  await check('a changed signature: exit 7', async () => {
    const token = await server.issuer.buildToken()
    const [header, claims, signature] = token.split('.')
    const flipped = (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10)
    await home.run(['token', 'inspect', '-', '--verify'], { stdin: `${header}.${claims}.${signature.slice(0, 9)}${flipped}`, code: 7 })
  })
  await check('hidden discovery: keys and revocation by convention', async () => {
    const hide = (response) => { response.statusCode = 403; response.body = {} }
    server.service.on('beforeWellKnownOpenIdConfiguration', hide)
    await home.run(['token', 'inspect', '--verify'])
    let revoked = false
    server.service.once('beforeRevoke', () => { revoked = true })
    await home.run(['token', 'revoke'])
    server.service.off('beforeWellKnownOpenIdConfiguration', hide)
    assert.ok(revoked)
  })

  const errors = [
    ['invalid_client', 401, 4], ['invalid_scope', 400, 4], ['unauthorized_client', 400, 4],
    ['server_error', 500, 5], ['temporarily_unavailable', 503, 5],
  ]
  for (const [error, status, code] of errors) {
    await check(`${error} (${status}): exit ${code}, and its description is shown`, async () => {
      const fail = (response) => { Object.assign(response, { statusCode: status, body: { error, error_description: 'because of a test' } }) }
      server.service.on('beforeResponse', fail)
      const result = await login(await Home.create(), 'client', 'secret', { code })
      server.service.off('beforeResponse', fail)
      assert.match(result.stderr, /because of a test/)
    })
  }
  await check('a response without access_token: exit 3', async () => {
    server.service.once('beforeResponse', (response) => { response.body = { token_type: 'Bearer' } })
    await login(await Home.create(), 'client', 'secret', { code: 3 })
  })

  await check('authorization code with PKCE, then refresh', async () => {
    const app = await Home.create()
    const process = app.start(['login', 'patient', '--gateway', base, '--client-id', 'app', '--no-browser',
      '--redirect-uri', 'http://localhost:0/callback', '--scope', 'openid patient/*.read'], { env: { ONEUP_CLIENT_SECRET: 'secret' } })
    const url = await process.printed(/http\S+\/auth\?\S+/)
    assert.equal(new URL(url).searchParams.get('code_challenge_method'), 'S256')
    await fetch((await new Browser().open(url)).location)
    const { code, stderr } = await process.ended
    assert.equal(code, 0, stderr)
    const sent = []
    server.service.on('beforeResponse', (response, request) => sent.push([request.body.refresh_token, response.body.refresh_token]))
    await app.run(['token', 'show', '--refresh'])
    await app.run(['token', 'show', '--refresh'])
    assert.equal(sent[1][0], sent[0][1], 'the second refresh uses the token of the first')
  })
})

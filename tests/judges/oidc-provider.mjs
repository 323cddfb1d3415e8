// judge: oidc-provider
// from: npm oidc-provider@9.13.3
// checks: oneup as client of a certified server: awkward IDs and secrets, both methods, PKCE, iss, rotation, reuse, JWKS, introspection, revocation, hidden discovery

import { createServer } from 'node:http'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import Provider from 'oidc-provider'
import { AWKWARD, Browser, Home, assert, atEnd, check, main } from './harness.mjs'

const REALM = '/auth/realms/dev-portal'
const OIDC = `${REALM}/protocol/openid-connect`
const SCOPE = 'openid patient/*.read'
const secretOf = (id) => ({ ONEUP_CLIENT_SECRET: AWKWARD.find(([, known]) => known === id)?.[2] ?? 'secret' })

async function freePort() {
  const server = createServer().listen(0, 'localhost')
  await new Promise((resolve) => server.on('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

function configuration(redirect, tweaks) {
  const machine = (id, secret, method) => ({
    client_id: id, client_secret: secret, token_endpoint_auth_method: method, scope: 'bulk-data|user/*.rs',
    grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
  })
  const resource = { scope: 'bulk-data|user/*.rs patient/*.read', accessTokenFormat: 'jwt', audience: 'urn:fhir', accessTokenTTL: 300 }
  return {
    clients: [
      ...AWKWARD.map(([, id, secret]) => machine(`post ${id}`, secret, 'client_secret_post')),
      ...AWKWARD.map(([, id, secret]) => machine(`basic ${id}`, secret, 'client_secret_basic')),
      {
        client_id: 'app', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post', scope: SCOPE,
        grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
        application_type: 'native', redirect_uris: [redirect],
      },
    ],
    scopes: ['openid', 'bulk-data|user/*.rs', 'patient/*.read'],
    features: {
      clientCredentials: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true },
      resourceIndicators: {
        enabled: true, defaultResource: () => 'urn:fhir', useGrantedResource: () => true, getResourceServerInfo: () => resource,
      },
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    routes: {
      authorization: `${OIDC}/auth`, token: `${OIDC}/token`, jwks: `${OIDC}/certs`,
      introspection: `${OIDC}/token/introspect`, revocation: `${OIDC}/revoke`,
    },
    pkce: { required: () => true },
    cookies: { keys: ['key of a test'] },
    ...tweaks,
  }
}

/// A server whose issuer has the path of a Keycloak realm; its discovery document can be hidden, as 1up's is.
async function start(redirect, tweaks = {}) {
  const state = { hidden: false, seen: [] }
  const server = createServer((request, response) => {
    state.seen.push(`${request.method} ${request.url.split('?')[0]}`)
    const document = '/.well-known/openid-configuration'
    if (request.url === REALM + document) {
      if (state.hidden) return response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>403 Forbidden</h1>')
      request.url = document
    }
    return state.handle(request, response)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.on('listening', resolve))
  atEnd(() => { server.closeAllConnections(); server.close() })
  const base = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(base + REALM, configuration(redirect, tweaks))
  provider.on('server_error', (_, error) => console.error(error))
  state.handle = provider.callback()
  return { base, state }
}

const answers = (page) => {
  const prompt = /name="prompt" value="([^"]+)"/.exec(page)[1]
  return prompt === 'login' ? { prompt, login: 'john.allen', password: 'any' } : { prompt }
}

await main(async () => {
  const redirect = `http://localhost:${await freePort()}/callback`
  const { base, state } = await start(redirect)
  const login = (home, id, ...args) => home.run(
    ['login', 'provider', '--gateway', base, '--client-id', id, ...args], { env: secretOf(id.replace(/^(post|basic) /, '')) })

  for (const method of ['post', 'basic']) {
    for (const [name, id] of AWKWARD) {
      await check(`client credentials, ${method}: ${name}`, async () => {
        const home = await Home.create()
        await login(home, `${method} ${id}`, '--auth-method', method)
        const { stdout } = await home.run(['token', 'show'])
        assert.equal(stdout.split('.').length, 3)
      })
    }
  }
  const machine = await Home.create()
  await check('a wrong secret: exit 4 and a hint', async () => {
    const result = await machine.run(['login', 'provider', '--gateway', base, '--client-id', 'post client'],
      { code: 4, env: { ONEUP_CLIENT_SECRET: 'wrong' } })
    assert.match(result.stderr, /^error: .*\n[^]*hint: /)
    assert.equal(result.stdout, '')
  })
  for (const hidden of [false, true]) {
    const where = hidden ? 'discovery hidden' : 'discovered'
    await check(`signature verified with the realm's keys, ${where}`, async () => {
      state.hidden = hidden
      await login(machine, 'post client')
      const { stdout } = await machine.run(['token', 'inspect', '--verify', '--format', 'json'])
      assert.ok(JSON.parse(stdout).verification.verified, stdout)
    })
  }
  state.hidden = false

  const app = await Home.create()
  const startLogin = (extra = []) => app.start(['login', 'patient', '--gateway', base, '--client-id', 'app', '--no-browser',
    '--redirect-uri', redirect, '--scope', SCOPE, ...extra], { env: secretOf('app') })
  const authorize = async (process) => {
    const url = await process.printed(/http\S+\/auth\?\S+/)
    return new Browser().walk(url, redirect, answers)
  }
  await check('authorization code with PKCE, state and iss', async () => {
    const process = startLogin()
    const back = await authorize(process)
    assert.equal(new URL(back).searchParams.get('iss'), base + REALM)
    await fetch(back)
    const { code, stderr } = await process.ended
    assert.equal(code, 0, stderr)
  })
  const copy = (name, to) => cp(join(app.path, name), join(app.path, to), { recursive: true, force: true })
  await check('each refresh uses the new refresh token', async () => {
    await copy('state', 'state-before')
    const tokens = new Set()
    for (let i = 0; i < 3; i++) tokens.add((await app.run(['token', 'show', '--refresh'])).stdout)
    assert.equal(tokens.size, 3)
  })
  await check('a reused refresh token: exit 4 and the command to log in', async () => {
    await copy('state-before', 'state')
    const { stderr } = await app.run(['token', 'show', '--refresh'], { code: 4 })
    assert.match(stderr, /hint: .*oneup login patient/)
  })
  for (const hidden of [false, true]) {
    await check(`logout revokes the refresh token, ${hidden ? 'discovery hidden' : 'discovered'}`, async () => {
      const process = startLogin()
      await fetch(await authorize(process))
      await process.ended
      for (const name of ['state', 'config']) await copy(name, `${name}-before`)
      state.hidden = hidden
      await app.run(['logout'])
      state.hidden = false
      for (const name of ['state', 'config']) await copy(`${name}-before`, name)
      await app.run(['token', 'show', '--refresh'], { code: 4 })
    })
  }
  await check('another issuer in the response: exit 3, and the code is not used', async () => {
    const process = startLogin()
    const back = new URL(await authorize(process))
    back.searchParams.set('iss', 'https://other.example')
    state.seen.length = 0
    await fetch(back)
    const { code, stderr } = await process.ended
    assert.equal(code, 3, stderr)
    assert.deepEqual(state.seen, [])
  })
  await check('login without PKCE where it is required: exit 4', async () => {
    const process = startLogin(['--no-pkce'])
    const url = await process.printed(/http\S+\/auth\?\S+/)
    const { location } = await new Browser().open(url)
    await fetch(location)
    const { code, stderr } = await process.ended
    assert.equal(code, 4, stderr)
    assert.match(stderr, /code_challenge|PKCE/)
  })
})

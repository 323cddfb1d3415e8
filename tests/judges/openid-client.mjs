// judge: openid-client
// from: npm openid-client@6.9.0
// checks: the sandbox's realm: discovery, three grants, four ways to authenticate, PKCE, nonce, iss, rotation, reuse detection
// fault: wrong-nonce

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as client from 'openid-client'
import { exportJWK, generateKeyPair, jwtVerify, createRemoteJWKSet } from 'jose'
import { Browser, CLIENT, assert, check, main, sandbox, tempDir } from './harness.mjs'

const REDIRECT = 'http://localhost:9/callback'
const SCOPE = 'bulk-data|user/*.rs'
const keys = {}

async function jwks() {
  const set = { keys: [] }
  for (const alg of ['RS384', 'ES384']) {
    const pair = await generateKeyPair(alg, { extractable: true })
    keys[alg] = pair.privateKey
    set.keys.push({ ...(await exportJWK(pair.publicKey)), kid: alg, alg, use: 'sig' })
  }
  const path = join(await tempDir(), 'jwks.json')
  await writeFile(path, JSON.stringify(set))
  return path
}

const rejectedWith = (error, status) => (thrown) =>
  thrown.error === error && (status === undefined || thrown.status === status) || assert.fail(thrown)

await main(async () => {
  const base = await sandbox('--client-jwks', await jwks())
  const issuer = new URL(`${base}/auth/realms/dev-portal`)
  const discover = (id, authentication) => client.discovery(issuer, id, undefined, authentication, {
    execute: [client.allowInsecureRequests],
  })
  const post = client.ClientSecretPost(CLIENT.secret)
  let config

  await check('discovery', async () => {
    config = await discover(CLIENT.id, post)
    assert.equal(config.serverMetadata().issuer, issuer.href)
    assert.ok(config.serverMetadata().supportsPKCE())
  })
  const methods = {
    client_secret_post: [CLIENT.id, post],
    client_secret_basic: [CLIENT.id, client.ClientSecretBasic(CLIENT.secret)],
    'private_key_jwt RS384': ['oneup-sandbox-jwt', client.PrivateKeyJwt({ key: keys.RS384, kid: 'RS384' })],
    'private_key_jwt ES384': ['oneup-sandbox-jwt', client.PrivateKeyJwt({ key: keys.ES384, kid: 'ES384' })],
  }
  for (const [name, [id, authentication]] of Object.entries(methods)) {
    await check(`client credentials with ${name}`, async () => {
      const tokens = await client.clientCredentialsGrant(await discover(id, authentication), { scope: SCOPE })
      assert.equal(tokens.token_type, 'bearer')
      assert.equal(tokens.expires_in, 300)
      const set = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
      const { payload } = await jwtVerify(tokens.access_token, set, { issuer: issuer.href })
      assert.equal(payload.scope, SCOPE)
    })
  }
  await check('a wrong secret is rejected', async () => {
    const wrong = await discover(CLIENT.id, client.ClientSecretPost('wrong'))
    await assert.rejects(client.clientCredentialsGrant(wrong, { scope: SCOPE }), rejectedWith('unauthorized_client', 401))
  })
  await check('an unknown scope is rejected', () =>
    assert.rejects(client.clientCredentialsGrant(config, { scope: 'unknown' }), rejectedWith('invalid_scope', 400)))

  const verifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const authorize = async () => client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope: 'openid patient/*.read', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const consent = (page) => ({ ticket: /name="ticket" value="([^"]+)"/.exec(page)[1], decision: 'allow' })
  const code = async () => new URL(await new Browser().walk((await authorize()).href, REDIRECT, consent))
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
  let tokens, used
  await check('authorization code with PKCE, state, nonce and iss', async () => {
    used = await code()
    assert.equal(used.searchParams.get('iss'), issuer.href)
    tokens = await client.authorizationCodeGrant(config, used, checks)
    assert.ok(tokens.claims().sub)
  })
  await check('a code works once', () =>
    assert.rejects(client.authorizationCodeGrant(config, used, checks), rejectedWith('invalid_grant', 400)))
  await check('a wrong PKCE verifier is rejected', async () => {
    const other = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }
    await assert.rejects(client.authorizationCodeGrant(config, await code(), other), rejectedWith('invalid_grant', 400))
  })
  await check('a request without consent is answered with access_denied', async () => {
    const denied = await new Browser().walk((await authorize()).href, REDIRECT, (page) => ({ ...consent(page), decision: 'deny' }))
    await assert.rejects(client.authorizationCodeGrant(config, new URL(denied), checks), rejectedWith('access_denied'))
  })

  // The first check's session may have ended with its reused code.
  await check('a refresh rotates, and reuse ends the session', async () => {
    const first = await client.authorizationCodeGrant(config, await code(), checks)
    const second = await client.refreshTokenGrant(config, first.refresh_token)
    assert.notEqual(second.refresh_token, first.refresh_token)
    await assert.rejects(client.refreshTokenGrant(config, first.refresh_token), rejectedWith('invalid_grant', 400))
    await assert.rejects(client.refreshTokenGrant(config, second.refresh_token), rejectedWith('invalid_grant', 400))
  })
  await check('introspection and revocation', async () => {
    const { access_token: token } = await client.clientCredentialsGrant(config, { scope: SCOPE })
    assert.equal((await client.tokenIntrospection(config, token)).active, true)
    await client.tokenRevocation(config, token)
    assert.equal((await client.tokenIntrospection(config, token)).active, false)
  })
})

// What the drivers in JavaScript share: oneup in a home of its own, the sandbox, a browser without a screen, and
// reporting a check: one JSON object a line, `{"check": NAME, "ok": BOOL, "detail": TEXT}`.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export { assert }
export const CLIENT = { id: 'oneup-sandbox', secret: 'not-a-secret' }
const oneupPath = process.env.ONEUP_BIN ?? 'oneup'
const cleanups = []

export async function check(name, body) {
  const started = Date.now()
  try {
    await body()
    console.log(JSON.stringify({ check: name, ok: true, detail: '' }))
  } catch (error) {
    const cause = error.cause ? `\ncause: ${JSON.stringify(error.cause, null, 1)}` : ''
    const detail = `${error.stack ?? error}${cause}\nafter ${Date.now() - started} ms`.slice(0, 2000)
    console.log(JSON.stringify({ check: name, ok: false, detail }))
  }
}

/// Runs `body`, then ends what was started.
export async function main(body) {
  try {
    await body()
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup()
  }
}

export const atEnd = (cleanup) => cleanups.push(cleanup)

export async function tempDir() {
  const path = await mkdtemp(join(tmpdir(), 'oneup-judge-'))
  atEnd(() => rm(path, { recursive: true, force: true }))
  return path
}

/// A running sandbox; its URL. The fault of a self-check is on.
export async function sandbox(...args) {
  const fault = process.env.JUDGE_FAULT ? ['--fail', process.env.JUDGE_FAULT] : []
  const child = spawn(oneupPath, ['sandbox', 'serve', '-q', ...fault, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  atEnd(() => child.kill())
  for await (const line of createInterface({ input: child.stdout })) return line.trim()
  throw new Error('the sandbox did not start')
}

/// oneup with directories of its own and the file store.
export class Home {
  static async create() {
    const home = new Home()
    home.path = await tempDir()
    return home
  }

  /// Starts oneup. `ended` gives its exit code and what it printed; `printed(pattern)` waits for a line of stderr.
  start(args, { stdin = '', env = {} } = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ONEUP_'))
    const child = spawn(oneupPath, args, {
      env: {
        ...Object.fromEntries(inherited),
        ONEUP_CONFIG_DIR: join(this.path, 'config'), ONEUP_STATE_DIR: join(this.path, 'state'),
        ONEUP_STORE: 'file', ONEUP_NO_CACHE: '1', ONEUP_NO_INPUT: '1', ...env,
      },
    })
    // oneup may end before it has read its stdin.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    const result = { stdout: '', stderr: '', code: null }
    child.stdout.on('data', (data) => { result.stdout += data })
    child.stderr.on('data', (data) => { result.stderr += data })
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
    const ended = new Promise((resolve) => child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ ...result, code })
    }))
    const printed = (pattern) => new Promise((resolve, reject) => {
      const look = () => { const found = pattern.exec(result.stderr); if (found) resolve(found[0]) }
      child.stderr.on('data', look)
      child.on('close', () => reject(new Error(`oneup ended: ${result.stderr}`)))
      look()
    })
    return { ended, printed }
  }

  /// Runs oneup and requires this exit code.
  async run(args, { code = 0, ...options } = {}) {
    const result = await this.start(args, options).ended
    assert.equal(result.code, code, `oneup ${args.join(' ')}: exit ${result.code}\n${result.stdout}${result.stderr}`)
    return result
  }
}

/// A browser without a screen: cookies, and no redirect followed by itself.
export class Browser {
  #cookies = new Map()

  async open(url, options = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', ...options, headers: { cookie, ...options.headers } })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (value) this.#cookies.set(name, value)
      else this.#cookies.delete(name)
    }
    const location = response.headers.get('location')
    return { status: response.status, location: location && new URL(location, url).href, text: await response.text() }
  }

  /// Fills in each page's form with `answers(page)` and follows redirects, until one leads to `end`; that URL.
  async walk(url, end, answers) {
    for (let step = 0; step < 12; step++) {
      if (url.startsWith(end)) return url
      let page = await this.open(url)
      if (!page.location) {
        const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1].replaceAll('&amp;', '&')
        assert.ok(action, `no form at ${url}: ${page.status} ${page.text.slice(0, 500)}`)
        url = new URL(action, url).href
        page = await this.open(url, { method: 'POST', body: new URLSearchParams(answers(page.text)) })
      }
      assert.ok(page.location, `no redirect from ${url}: ${page.status} ${page.text.slice(0, 500)}`)
      url = page.location
    }
    throw new Error(`too many steps to ${end}`)
  }
}

/// Client IDs and secrets that a form, a header or a shell could change on the way.
export const AWKWARD = [
  ['plain', 'client', 'secret'],
  ['colon', 'a:b', 'c:d:'],
  ['percent', 'a%20b%', '%41%zz'],
  ['plus', 'a+b', '+c+'],
  ['space', 'a b', ' c  d '],
  ['ampersand', 'a&b=c', 'd&client_id=e'],
  ['quotes', `a"b'c\\`, `"$(d)\`e\`'`],
]

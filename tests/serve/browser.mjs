// Opens page.js, served from another origin, in a real browser: `node browser.mjs BROWSER ADDRESS KEY VENDOR SECONDS`.
import fs from 'node:fs'
import http from 'node:http'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const [executablePath, address, key, vendor, seconds] = process.argv.slice(2)
const folder = fs.mkdtempSync('page-')
await build({
  entryPoints: ['page.js'], bundle: true, format: 'esm', splitting: true, outdir: folder, logLevel: 'error',
})
const server = http.createServer((request, answer) => {
  const path = new URL(request.url, 'http://page').pathname
  if (path === '/') {
    answer.setHeader('content-type', 'text/html')
    return answer.end('<!doctype html><title>sending</title><script type="module" src="/page.js"></script>')
  }
  const file = `${folder}/${path.slice(1)}`
  answer.statusCode = fs.existsSync(file) ? 200 : 404
  answer.setHeader('content-type', 'text/javascript')
  answer.end(answer.statusCode === 200 ? fs.readFileSync(file) : '')
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))

// Libraries drop what they take for the events of robots.
const args = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-blink-features=AutomationControlled']
const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36'
const browser = await chromium.launch({ executablePath, args })
const page = await browser.newPage({ userAgent })
page.on('console', (message) => console.log(message.type(), message.text().slice(0, 500)))
page.on('response', (response) => response.url().startsWith(address) && console.log(response.status(), response.url().slice(0, 150)))
await page.goto(`http://127.0.0.1:${server.address().port}/?${new URLSearchParams({ vendor, address, key })}`)
await page.waitForFunction(() => document.title === 'sent', { timeout: 20000 })
await page.waitForTimeout(Number(seconds) * 1000)
await browser.close()
server.close()

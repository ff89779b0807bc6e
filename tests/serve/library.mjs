// A program that sends events with a vendor's own library for Node: `node library.mjs VENDOR ADDRESS KEY COUNT`.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const [vendor, address, key, count] = process.argv.slice(2)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

const libraries = {
  segment() {
    const { Analytics } = require('@segment/analytics-node')
    const client = new Analytics({ writeKey: key, host: address, maxEventsInBatch: 20, flushInterval: 300, maxRetries: 20 })
    return [
      (n) => client.track({ userId: `user-${n % 7}`, event: 'open', properties: { n } }),
      () => client.closeAndFlush({ timeout: 60000 }),
    ]
  },
  posthog() {
    const { PostHog } = require('posthog-node')
    const client = new PostHog(key, { host: address, flushAt: 20, flushInterval: 300, fetchRetryCount: 20, fetchRetryDelay: 500 })
    return [
      (n) => client.capture({ distinctId: `user-${n % 7}`, event: 'open', properties: { n } }),
      () => client.shutdown(60000),
    ]
  },
  amplitude() {
    const amplitude = require('@amplitude/analytics-node')
    amplitude.init(key, { serverUrl: `${address}/2/httpapi`, flushQueueSize: 20, flushIntervalMillis: 300, flushMaxRetries: 20 })
    const told = []
    return [
      (n) => told.push(amplitude.track('open', { n }, { user_id: `user-${n % 7}` }).promise),
      async () => { await amplitude.flush().promise; await Promise.all(told) },
    ]
  },
  mixpanel() {
    const { hostname, port } = new URL(address)
    const client = require('mixpanel').init(key, { host: `${hostname}:${port}`, protocol: 'http' })
    const told = []
    // It tries nothing again by itself: its caller is told, and does.
    const send = async (n) => {
      const said = { distinct_id: `user-${n % 7}`, n, $insert_id: `insert-${n}` }
      for (let tries = 0; tries < 60; tries++) {
        const error = await new Promise((done) => client.track('open', said, done))
        if (!error) return
        await pause(500)
      }
    }
    return [(n) => told.push(send(n)), () => Promise.all(told)]
  },
  snowplow() {
    const { newTracker, buildSelfDescribingEvent } = require('@snowplow/node-tracker')
    const client = newTracker(
      { namespace: 't', appId: key, encodeBase64: false },
      { endpoint: address, eventMethod: 'post', bufferSize: 20, retryFailedRequests: true, idService: undefined },
    )
    return [
      (n) => {
        client.setUserId(`user-${n % 7}`)
        client.track(buildSelfDescribingEvent({ event: { schema: 'iglu:com.example/open/jsonschema/1-0-0', data: { n } } }))
      },
      async () => { client.flush(); await pause(15000); client.flush(); await pause(5000) },
    ]
  },
  rudderstack() {
    const RudderAnalytics = require('@rudderstack/rudder-sdk-node')
    const client = new RudderAnalytics(key, { dataPlaneUrl: address, flushAt: 20, flushInterval: 300 })
    return [
      (n) => client.track({ userId: `user-${n % 7}`, event: 'open', properties: { n } }),
      async () => { await client.flush(); await pause(8000); await client.flush() },
    ]
  },
}

const [send, end] = libraries[vendor]()
for (let n = 0; n < Number(count); n++) {
  send(n)
  await pause(10)
}
await end()
process.exit(0)

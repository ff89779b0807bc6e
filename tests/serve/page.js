// A page that sends five events with a vendor's own library for browsers, and says when it has: ?vendor=…&address=…&key=…
const asked = new URLSearchParams(location.search)
const [vendor, address, key] = ['vendor', 'address', 'key'].map((name) => asked.get(name))
const user = `user-${vendor}`

const libraries = {
  async segment() {
    const { AnalyticsBrowser } = await import('@segment/analytics-next')
    const integration = { apiHost: `${new URL(address).host}/v1`, protocol: 'http' }
    const client = AnalyticsBrowser.load({ writeKey: key, cdnURL: address }, { integrations: { 'Segment.io': integration } })
    await client.identify(user)
    return (n) => client.track('open', { n })
  },
  async rudderstack() {
    const { RudderAnalytics } = await import('@rudderstack/analytics-js/bundled')
    const client = new RudderAnalytics()
    client.load(key, address, { configUrl: address })
    client.identify(user)
    return (n) => client.track('open', { n })
  },
  async posthog() {
    const client = (await import('posthog-js')).default
    client.init(key, { api_host: address, disable_surveys: true, capture_pageview: false, capture_pageleave: false, autocapture: false })
    client.identify(user)
    return (n) => client.capture('open', { n })
  },
  async amplitude() {
    const client = await import('@amplitude/analytics-browser')
    client.init(key, user, { serverUrl: `${address}/2/httpapi`, defaultTracking: false })
    return (n) => client.track('open', { n })
  },
  async mixpanel() {
    const client = (await import('mixpanel-browser')).default
    client.init(key, { api_host: address })
    client.identify(user)
    return (n) => client.track('open', { n })
  },
  async snowplow() {
    const { newTracker, setUserId, trackSelfDescribingEvent } = await import('@snowplow/browser-tracker')
    newTracker('t', address, { appId: key })
    setUserId(user)
    return (n) => trackSelfDescribingEvent({ event: { schema: 'iglu:com.example/open/jsonschema/1-0-0', data: { n } } })
  },
}

const send = await libraries[vendor]()
for (let n = 0; n < 5; n++) await send(n)
document.title = 'sent'

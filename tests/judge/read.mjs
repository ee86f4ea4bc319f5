// The third reader: feedsmith (npm). Paths on standard input, one JSON line an answer.
import {readFileSync} from 'node:fs'
import {createInterface} from 'node:readline'
import {parseFeed} from 'feedsmith'

const text = (value) => (value && typeof value === 'object' ? value.value : value) ?? null
const link = (entry) => entry.link ?? entry.url ?? entry.links?.find((one) => !one.rel || one.rel === 'alternate')?.href ?? null
for await (const path of createInterface({input: process.stdin})) {
  try {
    const {format, feed} = parseFeed(readFileSync(path, 'utf8'))
    const entries = (feed.items ?? feed.entries ?? []).map((entry) => ({
      id: text(entry.id ?? entry.guid),
      title: text(entry.title),
      link: link(entry),
      date: entry.date_published ?? entry.published ?? entry.pubDate ?? null,
    }))
    console.log(JSON.stringify({path, format, entries}))
  } catch (error) {
    console.log(JSON.stringify({path, error: String(error)}))
  }
}

// pg-boss SECONDS: jobs sent by 10 callers at once; jobs fetched and completed 100 at a time, which its own
// worker would do at most twice a second. The server is where PGHOST says.
import PgBoss from 'pg-boss'
import { fill, payload, rate, report, seconds } from './common.mjs'

const boss = new PgBoss({ host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE, max: 10 })
await boss.start()
await boss.createQueue('noop')
const creates = await rate(10, async () => { await boss.send('noop', payload) })
await fill(8000 * seconds, creates, () => ({ name: 'noop', data: payload }), jobs => boss.insert(jobs))
const steps = await rate(1, async () => {
  const jobs = await boss.fetch('noop', { batchSize: 100 })
  if (jobs.length > 0) await boss.complete('noop', jobs.map(job => job.id))
  return jobs.length
})
report({ creates, steps })

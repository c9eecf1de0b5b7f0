// BullMQ SECONDS PORT: jobs added by 32 callers at once; jobs that do nothing, 50 at once.
import { Queue, Worker } from 'bullmq'
import { fill, payload, rate, report, seconds, throughput } from './common.mjs'

const connection = { host: '127.0.0.1', port: Number(process.argv[3]), maxRetriesPerRequest: null }
const queue = new Queue('bench', { connection })
const opts = { removeOnComplete: true }
await queue.waitUntilReady()
const creates = await rate(32, async () => { await queue.add('noop', payload, opts) })
const jobs = 10000 * seconds
await fill(jobs, creates, () => ({ name: 'noop', data: payload, opts }), some => queue.addBulk(some))
const steps = await throughput(jobs, async done => {
  const worker = new Worker(queue.name, async () => { done() }, { connection, concurrency: 50 })
  return () => worker.close(true)
})
report({ creates, steps })

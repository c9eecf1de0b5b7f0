// graphile-worker SECONDS plain|batched: jobs added by 10 callers at once; jobs that do nothing, 10 at once, or
// 24 at once with its local queue and batched completion. The server is where PGHOST says.
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'
import { fill, payload, rate, report, seconds, throughput } from './common.mjs'

const batched = process.argv[3] === 'batched'
const logger = new Logger(() => () => {})
const pgPool = new pg.Pool({ max: 12 })
const utils = await makeWorkerUtils({ pgPool, logger })
await utils.migrate()
const creates = await rate(10, async () => { await utils.addJob('noop', payload) })
const jobs = (batched ? 20000 : 4000) * seconds
await fill(jobs, creates, () => ({ identifier: 'noop', payload }), some => utils.addJobs(some))
const steps = await throughput(jobs, async done => {
  const runner = await run({
    pgPool,
    logger,
    noHandleSignals: true,
    concurrency: batched ? 24 : 10,
    taskList: { noop: async () => { done() } },
    ...(batched ? { preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } } } : {})
  })
  return () => runner.stop()
})
report({ creates, steps })

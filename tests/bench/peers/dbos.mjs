// DBOS SECONDS: workflows of four steps that do nothing, 20 at once. The server is where PGHOST says.
import { DBOS } from '@dbos-inc/dbos-sdk'
import { rate, report } from './common.mjs'

const { PGHOST, PGUSER, PGDATABASE } = process.env
const line = DBOS.registerWorkflow(async () => {
  for (const name of ['one', 'two', 'three', 'four']) await DBOS.runStep(async () => name, { name })
}, { name: 'line' })
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: `postgresql://${PGUSER}@localhost/${PGDATABASE}?host=${encodeURIComponent(PGHOST)}`,
  logLevel: 'error',
  runAdminServer: false
})
await DBOS.launch()
const steps = await rate(20, async () => {
  const handle = await DBOS.startWorkflow(line)()
  await handle.getResult()
  return 4
})
report({ steps })
